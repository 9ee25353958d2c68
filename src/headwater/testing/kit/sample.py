"""Plausible records from the contract of a resource: every field has a value of its type, from a seed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from headwater.clock import format_instant, to_micros
from headwater.model.field import Field, Node, flatten_nodes
from headwater.wire.cursor import ChangeFilter
from headwater.wire.records import split_path

_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "iris", "jade")
_FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)

_CHANGEABLE = ("text", "bigint", "integer", "double")
"""The types of a field whose value changes, the first one preferred."""

JsonObject = dict[str, Any]
"""A record, as a service sends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampFormat:
    """How the service writes the change time of a record."""

    path: tuple[str, ...]
    dtype: str
    """The type of the field in the contract; empty if the contract lacks it."""
    style: str = "iso"

    def render(self, instant: datetime) -> Any:
        """The change time as a value of JSON. Whole seconds, unless the service counts milliseconds."""
        micros = to_micros(instant)
        if self.dtype in ("bigint", "integer", "double") or self.dtype.startswith("decimal"):
            return micros // (1000 if self.style == "epoch_ms" else 1_000_000)
        if self.dtype == "text" and self.style == "http":
            return f"/Date({micros // 1000}+0000)/"
        return format_instant(instant.replace(microsecond=0))


def build_stamp_format(cursor: ChangeFilter, fields: Iterable[Field]) -> StampFormat:
    """How a service writes the field of a cursor, as far as the contract tells its type."""
    path = split_path(cursor.field)
    dtype = next((field.dtype for field in fields if field.path == path), "")
    if not dtype and cursor.format in ("epoch", "epoch_ms"):
        dtype = "bigint"
    return StampFormat(path=path, dtype=dtype, style=cursor.format)


def draw_record(nodes: Iterable[Node], number: int, random: Random) -> JsonObject:
    """A record with a value for each key of the contract. `number` makes its values differ from those of other records."""
    return {node.key: _draw_node(node, number, random) for node in nodes}


def _draw_node(node: Node, number: int, random: Random) -> Any:
    if node.many:
        single = [Node(key=node.key, dtype=node.dtype, nodes=node.nodes)]
        return [draw_record(single, number, random)[node.key] for _ in range(random.randint(0, 2))]
    if node.nodes:
        return draw_record(node.nodes, number, random)
    return draw_value(node.dtype, number, random)


def draw_value(dtype: str, number: int, random: Random) -> Any:
    """A value of a type of `headwater.dtypes`."""
    moment = _FIRST_DAY + timedelta(seconds=random.randrange(150_000_000))
    values: dict[str, Any] = {
        "boolean": random.random() < 0.5,
        "integer": 1000 + number,
        "bigint": 1000 + number,
        "double": round(random.uniform(0, 900), 2),
        "decimal": number if dtype.endswith(",0)") else round(random.uniform(0, 9), 1),
        "date": moment.date().isoformat(),
        "timestamp": format_instant(moment),
        "json": {"note": random.choice(_WORDS)},
    }
    return values.get(dtype.partition("(")[0], f"{random.choice(_WORDS)} {number}")


def build_key(dtype: str, number: int) -> Any:
    """A key of a type. Keys grow with `number`, as numbers and as texts."""
    if dtype in ("bigint", "integer") or dtype.startswith("decimal"):
        return 100 + number
    return f"k{number:05}"


def get_path(record: Mapping[str, Any], path: Iterable[str]) -> Any:
    """The value at a path, or None."""
    value: Any = record
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def set_path(record: JsonObject, path: tuple[str, ...], value: Any) -> None:
    """Set the value at a path, with the objects around it."""
    for step in path[:-1]:
        inner = record.get(step)
        record[step] = inner if isinstance(inner, dict) else {}
        record = record[step]
    record[path[-1]] = value


def find_note_field(nodes: Iterable[Node], taken: Iterable[tuple[str, ...]]) -> Field | None:
    """A field whose value the service can change: a text, else a number, that the manifest does not use."""
    used = set(taken)
    candidates = [
        field
        for field in flatten_nodes(nodes)
        if not field.many and field.dtype in _CHANGEABLE and field.path not in used and _is_plain(field.path)
    ]
    return min(candidates, key=lambda field: (_CHANGEABLE.index(field.dtype), len(field.path)), default=None)


def build_note(dtype: str, revision: int) -> Any:
    """A value of the field that changes, another one for each revision."""
    return f"changed {revision}" if dtype == "text" else 5_000_000 + revision


def _is_plain(path: tuple[str, ...]) -> bool:
    return all(step.isidentifier() and step.isascii() for step in path)


def dump_json(value: Any) -> bytes:
    """`value` as JSON."""
    return json.dumps(value, ensure_ascii=False).encode()
