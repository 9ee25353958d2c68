"""What is stored of a history, read and drawn: versions by key, whole tables, and how two of them differ."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from headwater.model.entity import Entity
from headwater.testing.conformance.history.entity import (
    COLUMNS,
    THING,
    among_condition,
    expected_versions,
    read_versions,
)
from headwater.testing.conformance.history.oracle import OPEN, Event
from headwater.testing.tables import render_table
from headwater.warehouse.base import Warehouse

TAIL = ("from", "to", "current", "number", "batch")
NAMES = ("key", *COLUMNS, *TAIL)
"""The columns of a version, as the oracle tells it."""
FROM, TO, CURRENT, NUMBER = (NAMES.index(name) for name in ("from", "to", "current", "number"))
META = ("change_feed", "tied_keys", "batch")


def find_difference(warehouse: Warehouse, events: Sequence[Event], entity: Entity = THING) -> str:
    """The versions of the first key whose history is not the oracle's, as they should be and as they are."""
    keys = sorted({event.key for event in events})
    found, wanted = read_versions(warehouse, entity, keys=keys), expected_versions(events, entity)
    names = ("key", *entity.columns, *TAIL)
    for key in keys:
        own, its = ([row for row in rows if row[0] == key] for rows in (found, wanted))
        if list(map(repr, own)) != list(map(repr, its)):
            return f"expected\n{render_versions(its, names)}\nfound\n{render_versions(own, names)}"
    return ""


def render_versions(rows: Iterable[Sequence[Any]], names: Sequence[str] = NAMES) -> str:
    """Versions, drawn."""
    dicts = [dict(zip(names, row, strict=True)) for row in rows]
    return render_table(names, [{**row, "to": "open" if row["to"] == OPEN else row["to"]} for row in dicts])


def read_stored(
    warehouse: Warehouse, events: Iterable[Event], *, meta: bool = True
) -> dict[str, list[tuple[Any, ...]]]:
    """All rows and columns of these events' keys; of `meta`, how many rows its tables have."""
    own = among_condition("entity_key", {event.key for event in events})
    found = {
        f"silver.{name}": sorted(warehouse.rows(f"SELECT {columns} FROM silver.{name} WHERE {own}"), key=repr)
        for name, columns in (
            ("thing", _list_sql(warehouse, "thing")),
            ("thing_log", _list_sql(warehouse, "thing_log")),
        )
    }
    if meta:
        found |= {f"meta.{name}": warehouse.rows(f"SELECT count(*) AS rows FROM meta.{name}") for name in META}
    return found


def _list_sql(warehouse: Warehouse, name: str) -> str:
    return ", ".join(column.name for column in warehouse.describe("silver", name) or ())


def compare_states(one: str, before: Mapping[str, list[Any]], other: str, after: Mapping[str, list[Any]]) -> str:
    """How two states differ: the first table that does, row by row."""
    for table, rows in before.items():
        if list(map(repr, rows)) != list(map(repr, after[table])):
            return f"{table}\n{one}\n{_render_rows(rows)}\n{other}\n{_render_rows(after[table])}"
    return ""


def _render_rows(rows: Iterable[Any]) -> str:
    return "\n".join(f"  {row}" for row in rows) or "  nothing"


def read_lives(warehouse: Warehouse, events: Sequence[Event]) -> Iterator[list[tuple[Any, ...]]]:
    """The stored versions of each key, in their own order of time."""
    rows = sorted(read_versions(warehouse, keys={event.key for event in events}), key=lambda row: (row[0], row[FROM]))
    for _, own in itertools.groupby(rows, key=lambda row: row[0]):
        yield list(own)
