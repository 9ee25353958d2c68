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

from headwater.cli.options import Face
from headwater.clock import format_instant
from headwater.errors import HeadwaterError

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_WIDE = 4000
"""Columns of an output that is no terminal: tables are not squeezed for a file or a pipe."""


def answer(face: Face, value: Mapping[str, Any], *drawn: RenderableType) -> None:
    """Print one answer the way it was asked for."""
    if face.json:
        sys.stdout.write(as_json(value) + "\n")
    elif sys.stdout.isatty():
        Console(highlight=False).print(Group(*drawn))
    else:
        sys.stdout.write(_unseen(*drawn))


def _unseen(*drawn: RenderableType) -> str:
    """What a file or a pipe gets: as wide as it needs to be, and without the blanks that fill a screen."""
    console = Console(file=io.StringIO(), highlight=False, width=_WIDE)
    with console.capture() as captured:
        console.print(Group(*drawn))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def as_json(value: Mapping[str, Any]) -> str:
    """`value` as one line of JSON."""
    return _ENCODER.encode(plain(value)).decode()


def plain(value: Any) -> Any:
    """`value` in the few types that JSON has."""
    if isinstance(value, HeadwaterError):
        return value.as_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return _scalar(value)


_ENDLESS = {"inf": "Infinity", "-inf": "-Infinity"}
"""What JSON has no number for, as JavaScript and others read it."""


def _scalar(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float() | Decimal():
            return value if math.isfinite(value) else _ENDLESS.get(str(float(value)), "NaN")
        case date() | time():
            return _iso(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
    return str(value)


def _iso(value: date | time) -> str:
    if isinstance(value, datetime):
        return format_instant(value.replace(tzinfo=UTC) if value.tzinfo is None else value)
    return value.isoformat()
