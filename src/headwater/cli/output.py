"""An answer, printed: as one JSON object for a machine, or drawn for a person.

In JSON an instant is ISO 8601 in UTC (`2026-03-01T08:00:00Z`; the warehouse's timestamps have no zone and mean UTC), a day
`2026-03-01`, a decimal a number with all its digits, bytes base64, and what JSON has no number for (`NaN`, `Infinity`) a text.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import math
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec
from rich.console import Console, Group, RenderableType

from headwater.cli.options import OutputOptions
from headwater.clock import format_instant
from headwater.errors import HeadwaterError

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_WIDE = 4000
"""Columns of an output that is no terminal: tables are not squeezed for a file or a pipe."""


def print_result(options: OutputOptions, value: Mapping[str, Any], *rendered: RenderableType) -> None:
    """Print one answer the way it was asked for."""
    if options.json:
        sys.stdout.write(to_json(value) + "\n")
    elif sys.stdout.isatty():
        Console(highlight=False).print(Group(*rendered))
    else:
        sys.stdout.write(_render_plain(*rendered))


def _render_plain(*rendered: RenderableType) -> str:
    """What a file or a pipe gets: as wide as it needs to be, and without the blanks that fill a screen."""
    console = Console(file=io.StringIO(), highlight=False, width=_WIDE)
    with console.capture() as captured:
        console.print(Group(*rendered))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def to_json(value: Mapping[str, Any]) -> str:
    """`value` as one line of JSON."""
    return _ENCODER.encode(to_plain(value)).decode()


def to_plain(value: Any) -> Any:
    """`value` in the few types that JSON has."""
    if isinstance(value, HeadwaterError):
        return value.as_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(item) for item in value]
    return _to_scalar(value)


_ENDLESS = {"inf": "Infinity", "-inf": "-Infinity"}
"""What JSON has no number for, as JavaScript and others read it."""


def _to_scalar(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float() | Decimal():
            return value if math.isfinite(value) else _ENDLESS.get(str(float(value)), "NaN")
        case date() | time():
            return _to_iso(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
    return str(value)


def _to_iso(value: date | time) -> str:
    if isinstance(value, datetime):
        return format_instant(value.replace(tzinfo=UTC) if value.tzinfo is None else value)
    return value.isoformat()
