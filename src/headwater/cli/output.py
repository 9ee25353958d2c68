"""Prints a result as one JSON object or as text.

In JSON, an instant is ISO 8601 in UTC (`2026-03-01T08:00:00Z`; timestamps of the warehouse have no zone and are in UTC), a
date is `2026-03-01`, a decimal is a number with all its digits, bytes are base64, and `NaN` and `Infinity` are strings.
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
from headwater.cli.pager import show_text
from headwater.clock import format_instant
from headwater.errors import HeadwaterError

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_WIDE = 4000
"""The width of an output that is not a terminal, so that tables in files and pipes are not wrapped."""


def print_result(
    options: OutputOptions, value: Mapping[str, Any], *rendered: RenderableType, paged: bool = False
) -> None:
    """Print a result as JSON or as text, as the options request. With `paged`, a terminal shows a long text in a pager."""
    if options.json:
        sys.stdout.write(to_json(value) + "\n")
    elif sys.stdout.isatty():
        _print_to_terminal(Console(highlight=False), *rendered, paged=paged)
    else:
        sys.stdout.write(_render_plain(*rendered))


def _print_to_terminal(console: Console, *rendered: RenderableType, paged: bool) -> None:
    if not paged:
        console.print(Group(*rendered))
        return
    with console.capture() as captured:
        console.print(Group(*rendered))
    show_text(captured.get(), height=console.height)


def _render_plain(*rendered: RenderableType) -> str:
    """Text for a file or a pipe: as wide as needed, without trailing blanks."""
    console = Console(file=io.StringIO(), highlight=False, width=_WIDE, force_terminal=False)
    with console.capture() as captured:
        console.print(Group(*rendered))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def to_json(value: Any) -> str:
    """`value` as one line of JSON."""
    return _ENCODER.encode(to_plain(value)).decode()


def to_plain(value: Any) -> Any:
    """Convert `value` to types that JSON can represent."""
    if isinstance(value, HeadwaterError):
        return value.as_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(item) for item in value]
    return _to_scalar(value)


_INFINITE = {"inf": "Infinity", "-inf": "-Infinity"}
"""Numbers that JSON cannot represent, as JavaScript writes them."""


def _to_scalar(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float() | Decimal():
            return value if math.isfinite(value) else _INFINITE.get(str(float(value)), "NaN")
        case date() | time():
            return _to_iso(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
    return str(value)


def _to_iso(value: date | time) -> str:
    if isinstance(value, datetime):
        return format_instant(value.replace(tzinfo=UTC) if value.tzinfo is None else value)
    return value.isoformat()
