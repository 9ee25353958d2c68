"""What of a refused record can be typed all the same: its plain values one by one, and nothing where one cannot.

A refused record was there. Whoever asks what a complete read showed needs its key as well typed as that of any other
record, so each refused record leaves a row of the columns of bronze, in a file beside the records that wait.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from headwater.bronze.exact import format_number, parse_fraction, parse_integer
from headwater.bronze.schema import BronzeSchema
from headwater.model.field import Node, build_annotation
from headwater.model.field_types import AnyText

_DEEPEST = 16
"""Values further down are not looked at; no contract goes there."""
_LONGEST = 65_536
"""Characters of a text; a longer one is nobody's key."""
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_CONFIG = ConfigDict(coerce_numbers_to_str=True, allow_inf_nan=False)
_TWICE = object()
"""Stands for the values of a key that stands twice in one object: nobody knows which of them was meant."""


class PartialReader:
    """Reads refused records of one shape, as far as they can be read."""

    def __init__(self, shape: BronzeSchema) -> None:
        self._shape = shape
        self._kinds: dict[int, TypeAdapter[Any]] = {}

    def read(self, text: bytes) -> bytes:
        """A record that is surely typed: the plain values of `text` that fit their columns, and none of the others."""
        record = _parse(text)
        kept = dict(self._read_values(self._shape.nodes, record)) if isinstance(record, dict) else {}
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()

    def _read_values(self, nodes: Iterable[Node], record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for node in nodes:
            value = record.get(node.key)
            if node.many or value is None:
                continue
            if node.nodes:
                if isinstance(value, dict):
                    yield node.key, dict(self._read_values(node.nodes, value))
            elif node.dtype != "json":
                yield node.key, self._read_value(node, value)

    def _read_value(self, node: Node, value: Any) -> Any:
        """`value` as a kept record would have it, to the last digit; None where the contract does not understand it."""
        if value is _TWICE or isinstance(value, dict) or (isinstance(value, str) and len(value) > _LONGEST):
            return None
        kind = self._kinds.get(id(node))
        if kind is None:
            kind = TypeAdapter(AnyText if node.loose else build_annotation(node.dtype), config=_CONFIG)
            self._kinds[id(node)] = kind
        try:
            taken = kind.validate_python(_keep_number(node, value))
            # As text: DuckDB would read the number by way of a double.
            dumped = f"{taken:f}" if isinstance(taken, Decimal) else kind.dump_python(taken, mode="json")
            str(dumped).encode()
        except (ValidationError, UnicodeEncodeError):
            return None
        return dumped


def _keep_number(node: Node, value: Any) -> Any:
    """`value` with a number as it is kept: by its value where text is due, as a double where that is the column's type."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    if node.dtype == "text":
        return format_number(value)
    return float(value) if node.dtype == "double" and isinstance(value, Decimal) else value


def _parse(text: bytes) -> Any:
    cut = _drop_nested(text).decode("utf-8", "replace")
    try:
        return json.loads(cut, object_pairs_hook=_pairs, parse_float=parse_fraction, parse_int=parse_integer)
    except (ValueError, RecursionError):
        return None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                made[key] = _TWICE
            seen.add(key)
    return made


def _drop_nested(text: bytes) -> bytes:
    """`text` with null for each list, and for each object that lies too deep: no plain value of a column is there."""
    pieces, depth, start, cut = [], 0, 0, 0
    for found in _MARKS.finditer(text):
        mark = found[0]
        if mark in b"{[":
            depth += 1
            if not cut and (mark == b"[" or depth > _DEEPEST):
                cut = depth
                pieces.append(text[start : found.start()])
        elif mark in b"}]":
            if depth == cut:
                pieces.append(b"null")
                start, cut = found.end(), 0
            depth -= 1
    return b"" if cut else b"".join((*pieces, text[start:]))
