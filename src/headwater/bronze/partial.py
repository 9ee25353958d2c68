"""Converts the values of refused records one by one, as far as possible. The others become NULL.

A refused record was in the read. To decide which records a complete read contains, its key is needed with the same type as
other keys. So each refused record is written as a row with the columns of bronze, to a file beside the quarantined records.
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

_MAX_DEPTH = 16
"""Values at deeper levels are ignored, because no contract has fields there."""
_MAX_TEXT = 65_536
"""Characters of a text. A longer text is never a key."""
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_CONFIG = ConfigDict(coerce_numbers_to_str=True, allow_inf_nan=False)
_DUPLICATE = object()
"""The value of a key that appears twice in one object, because it is not known which value is right."""


class PartialReader:
    """Reads refused records of one schema, as far as possible."""

    def __init__(self, schema: BronzeSchema) -> None:
        self._schema = schema
        self._kinds: dict[int, TypeAdapter[Any]] = {}

    def read(self, text: bytes) -> bytes:
        """Return a record with the scalar values in `text` that fit their columns, and without the others."""
        record = _parse(text)
        values = dict(self._read_values(self._schema.nodes, record)) if isinstance(record, dict) else {}
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()

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
        """`value` as bronze stores it, with all digits. None if the contract does not accept it."""
        if value is _DUPLICATE or isinstance(value, dict) or (isinstance(value, str) and len(value) > _MAX_TEXT):
            return None
        kind = self._kinds.get(id(node))
        if kind is None:
            kind = TypeAdapter(AnyText if node.loose else build_annotation(node.dtype), config=_CONFIG)
            self._kinds[id(node)] = kind
        try:
            typed_value = kind.validate_python(_keep_number(node, value))
            # As text, because DuckDB would convert the number to a double.
            dumped = (
                f"{typed_value:f}" if isinstance(typed_value, Decimal) else kind.dump_python(typed_value, mode="json")
            )
            str(dumped).encode()
        except (ValidationError, UnicodeEncodeError):
            return None
        return dumped


def _keep_number(node: Node, value: Any) -> Any:
    """Convert a number as bronze stores it: to canonical text for a text column, to a double for a double column."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    if node.dtype == "text":
        return format_number(value)
    return float(value) if node.dtype == "double" and isinstance(value, Decimal) else value


def _parse(text: bytes) -> Any:
    cut = _drop_nested(text).decode("utf-8", "replace")
    try:
        return json.loads(cut, object_pairs_hook=_build_object, parse_float=parse_fraction, parse_int=parse_integer)
    except (ValueError, RecursionError):
        return None


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                result[key] = _DUPLICATE
            seen.add(key)
    return result


def _drop_nested(text: bytes) -> bytes:
    """Replace each list, and each object that is too deep, with null: no scalar value of a column is inside of them."""
    chunks, depth, start, cut_depth = [], 0, 0, 0
    for match in _MARKS.finditer(text):
        mark = match[0]
        if mark in b"{[":
            depth += 1
            if not cut_depth and (mark == b"[" or depth > _MAX_DEPTH):
                cut_depth = depth
                chunks.append(text[start : match.start()])
        elif mark in b"}]":
            if depth == cut_depth:
                chunks.append(b"null")
                start, cut_depth = match.end(), 0
            depth -= 1
    return b"" if cut_depth else b"".join((*chunks, text[start:]))
