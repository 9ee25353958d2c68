"""Prints a result as one JSON object or as text.

In JSON, an instant is ISO 8601 in UTC (`2026-03-01T08:00:00Z`; timestamps of the warehouse have no zone and are in UTC), a
date is `2026-03-01`, a decimal is a number with all its digits, bytes are base64, and `NaN` and `Infinity` are strings.
"""

from __future__ import annotations

import base64
import dataclasses
import importlib
import math
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from headwater.cli.options import OutputOptions
from headwater.clock import format_instant
from headwater.errors import HeadwaterError

if TYPE_CHECKING:
    from rich.console import RenderableType

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def print_result(
    options: OutputOptions, value: Mapping[str, Any], *rendered: RenderableType, paged: bool = False
) -> None:
    """Print a result as JSON or as text, as the options request. With `paged`, a terminal shows a long text in a pager."""
    if options.json:
        sys.stdout.write(to_json(value) + "\n")
    else:
        # The library takes time to import, and JSON does not need it.
        importlib.import_module("headwater.cli.text_output").print_text(*rendered, paged=paged)


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
