"""Canonical JSON for records that fit their contract: JSON values become texts that SQL stores unchanged.

SQL recognizes scalars that are already canonical (see `spelling`). This module converts objects, lists and other numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from headwater.bronze.exact import parse_fast, to_canonical_json
from headwater.bronze.spelling import CANONICAL_PREFIX
from headwater.model.field import Node

_ENCODER = msgspec.json.Encoder(decimal_format="number")
"""Writes a number with the digits with which it was parsed."""


def to_json_text(value: Any) -> str:
    """A JSON value as a text that `spelling.json_sql` recognizes as canonical."""
    return CANONICAL_PREFIX + to_canonical_json(value)


def to_text(value: Any) -> str:
    """Any value as text: a string unchanged, any other value as canonical JSON."""
    return value if isinstance(value, str) else to_canonical_json(value)


def map_values(node: Node, value: Any, change: Callable[[Any], Any]) -> Any:
    """Apply `change` to `value`, or to each element that is not null if `node` is a list."""
    if node.many and isinstance(value, list):
        return [None if item is None else change(item) for item in value]
    return change(value)


class JsonRewriter:
    """Rewrites records of one schema so that their JSON values are canonical texts."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = tuple(node for node in nodes if _has_json(node))

    def rewrite(self, text: bytes) -> bytes | None:
        """Rewrite the record in `text`. Return None if the record must be validated with its contract."""
        try:
            record = parse_fast(text.decode("utf-8"))
            _rewrite_object(self._nodes, record)
            return _ENCODER.encode(record)
        except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
            return None


def _has_json(node: Node) -> bool:
    return node.loose or node.dtype == "json" or any(map(_has_json, node.nodes))


def _rewrite_object(nodes: Iterable[Node], record: dict[str, Any]) -> None:
    for node in nodes:
        value = record.get(node.key)
        if value is None or not _has_json(node):
            continue
        if node.nodes:
            for item in value if node.many else (value,):
                if item is not None:
                    _rewrite_object(node.nodes, item)
        else:
            record[node.key] = map_values(node, value, to_text if node.loose else to_json_text)
