"""Canonical JSON for records that fit: their JSON values become texts that SQL takes as they are.

SQL recognizes scalars that are spelled canonically already (see `spelling`). Objects, lists and odd numbers are written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from headwater.bronze.exact import parse_fitting, to_canonical_json
from headwater.bronze.spelling import WRITTEN
from headwater.model.field import Node

_ENCODER = msgspec.json.Encoder(decimal_format="number")
"""Writes a number with the digits that it was read with."""


def json_text(value: Any) -> str:
    """A JSON value as the text that `spelling.json_sql` takes for canonical."""
    return WRITTEN + to_canonical_json(value)


def loose_text(value: Any) -> str:
    """Any value as text: a string as it is, anything else by its canonical text."""
    return value if isinstance(value, str) else to_canonical_json(value)


def map_values(node: Node, value: Any, change: Callable[[Any], Any]) -> Any:
    """`value`, each of its elements where `node` is a list, changed unless it is null."""
    if node.many and isinstance(value, list):
        return [None if one is None else change(one) for one in value]
    return change(value)


class JsonRewriter:
    """Rewrites records of one shape, so that their JSON values are canonical texts."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = tuple(node for node in nodes if _has_json(node))

    def rewrite(self, text: bytes) -> bytes | None:
        """The record in `text`; None where it must be read with its contract."""
        try:
            record = parse_fitting(text.decode("utf-8"))
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
            for one in value if node.many else (value,):
                if one is not None:
                    _rewrite_object(node.nodes, one)
        else:
            record[node.key] = map_values(node, value, loose_text if node.loose else json_text)
