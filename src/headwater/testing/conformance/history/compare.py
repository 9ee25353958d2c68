"""Reads the stored history, as versions and as whole tables, and compares and renders it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from headwater.model.entity import Entity
from headwater.testing.conformance.history.entity import (
    COLUMNS,
    THING,
    among_condition,
    build_expected_versions,
    read_versions,
)
from headwater.testing.conformance.history.oracle import OPEN, Event
from headwater.testing.tables import render_table
from headwater.warehouse.base import SchemaName, Warehouse

TAIL = ("from", "to", "current", "number", "batch")
NAMES = ("key", *COLUMNS, *TAIL)
"""The columns of a version, in the order of the reference implementation."""
FROM, TO, CURRENT, NUMBER = (NAMES.index(name) for name in ("from", "to", "current", "number"))
META = ("change_feed", "tied_keys", "batch")
META_WITH_KEYS = ("change_feed", "tied_keys")


def find_difference(warehouse: Warehouse, events: Sequence[Event], entity: Entity = THING) -> str:
    """The expected and the stored versions of the first key whose history is wrong; empty if none is."""
    keys = sorted({event.key for event in events})
    actual, expected = read_versions(warehouse, entity, keys=keys), build_expected_versions(events, entity)
    names = ("key", *entity.columns, *TAIL)
    for key in keys:
        stored, wanted = ([row for row in rows if row[0] == key] for rows in (actual, expected))
        if list(map(repr, stored)) != list(map(repr, wanted)):
            return f"expected\n{render_versions(wanted, names)}\nfound\n{render_versions(stored, names)}"
    return ""


def render_versions(rows: Iterable[Sequence[Any]], names: Sequence[str] = NAMES) -> str:
    """Versions as a table."""
    dicts = [dict(zip(names, row, strict=True)) for row in rows]
    return render_table(names, [{**row, "to": "open" if row["to"] == OPEN else row["to"]} for row in dicts])


def read_stored(
    warehouse: Warehouse, events: Iterable[Event], *, meta: bool = True
) -> dict[str, list[tuple[Any, ...]]]:
    """All rows and columns of the keys of these events. With `meta`, also the number of all rows of the `meta` tables."""
    condition = among_condition("entity_key", {event.key for event in events})
    tables: list[tuple[SchemaName, str]] = [("silver", "thing"), ("silver", "thing_log")]
    if meta:
        tables += [("meta", name) for name in META_WITH_KEYS]
    stored = {
        f"{layer}.{name}": _sort_rows(
            warehouse.rows(f"SELECT {_columns_sql(warehouse, layer, name)} FROM {layer}.{name} WHERE {condition}")
        )
        for layer, name in tables
    }
    if meta:
        stored |= {f"rows of meta.{name}": warehouse.rows(f"SELECT count(*) FROM meta.{name}") for name in META}
    return stored


def _sort_rows(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def _columns_sql(warehouse: Warehouse, layer: SchemaName, name: str) -> str:
    return ", ".join(column.name for column in warehouse.describe(layer, name) or ())


def compare_states(name: str, state: Mapping[str, list[Any]], other_name: str, other: Mapping[str, list[Any]]) -> str:
    """The rows of the first table that differs in two states; empty if none does."""
    for table, rows in state.items():
        if list(map(repr, rows)) != list(map(repr, other[table])):
            return f"{table}\n{name}\n{_render_rows(rows)}\n{other_name}\n{_render_rows(other[table])}"
    return ""


def _render_rows(rows: Iterable[Any]) -> str:
    return "\n".join(f"  {row}" for row in rows) or "  nothing"


def read_histories(warehouse: Warehouse, events: Sequence[Event]) -> Iterator[list[tuple[Any, ...]]]:
    """The stored versions of each key that has any, in the order of time."""
    rows = sorted(read_versions(warehouse, keys={event.key for event in events}), key=lambda row: (row[0], row[FROM]))
    for _, versions in itertools.groupby(rows, key=lambda row: row[0]):
        yield list(versions)
