"""A warehouse as version 0.1 left it: made as today, and given the former names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from headwater.silver.schema.tables import META
from headwater.warehouse.base import Warehouse
from headwater.warehouse.meta_names import FORMER_COLUMNS, FORMER_LOG_COLUMNS, FORMER_NAMES
from tests.silver.builders import make_event, merge_events


def fill(warehouse: Warehouse) -> None:
    """History with an event that knows a part of the columns, a key that is tied, and changes that gold waits for."""
    merge_events(warehouse, [make_event("p:1", 10, name="a", size=1, note="n"), make_event("p:1", 20, name="b")])
    merge_events(warehouse, [make_event("p:2", 10, name="c")])
    merge_events(warehouse, [make_event("p:2", 10, "A")])
    for name, values in {
        "change_feed": "7, 'thing', 'p:1'",
        "consumer_offset": "'dim_thing', 'thing', 7",
        "consumed_batch": "'thing', 'b0', 'psa', 'things', 'changes', 5, 3, 1, ''",
        "repeat_watermark": "'thing', 12",
    }.items():
        (table,) = (one for one in META if one.name == name)
        warehouse.append("meta", name, table.names, f"SELECT * FROM (VALUES ({values})) AS one")


def make_older(warehouse: Warehouse) -> None:
    """Give the tables of `meta` and the columns of the change log the names of version 0.1."""
    for table in META:
        if table.name in FORMER_NAMES:
            columns = FORMER_COLUMNS.get(table.name, {})
            names = [replace(column, name=columns.get(column.name, column.name)) for column in table.columns]
            former = replace(table, name=FORMER_NAMES[table.name], columns=tuple(names))
            warehouse.ensure(former)
            select = f"SELECT {', '.join(table.names)} FROM {warehouse.ref('meta', table.name)}"
            warehouse.append("meta", former.name, former.names, select)
            warehouse.drop("meta", table.name)
    warehouse.rename_columns("silver", "thing_log", {after: before for before, after in FORMER_LOG_COLUMNS.items()})


def read_tables(warehouse: Warehouse) -> Mapping[str, list[tuple[object, ...]]]:
    """The rows of all tables by value, under the names of today."""
    names = {before: after for after, before in FORMER_NAMES.items()}
    return {
        f"{layer}.{names.get(name, name)}": sorted(warehouse.rows(f"SELECT * FROM {layer}.{name}"), key=repr)
        for layer in ("silver", "meta")
        for name in warehouse.tables(layer)
    }
