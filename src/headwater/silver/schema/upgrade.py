"""Gives the tables that version 0.1 made their names of today. No row of a history changes, and nothing is rebuilt."""

from __future__ import annotations

from headwater.silver.schema.tables import META
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Table, Warehouse
from headwater.warehouse.meta_names import FORMER_COLUMNS, FORMER_LOG_COLUMNS, FORMER_NAMES


def upgrade_tables(warehouse: Warehouse) -> None:
    """Rename the tables of `meta` and the columns of change logs that have names of version 0.1, in one transaction.

    Where there are none, this costs one look at the names of the tables.
    """
    stored = set(warehouse.tables("meta"))
    if stored.isdisjoint(FORMER_NAMES.values()):
        return
    with warehouse.transaction():
        _rename_log_columns(warehouse)
        for table in META:
            former = FORMER_NAMES.get(table.name)
            if former in stored:
                _move_table(warehouse, table, former)


def _rename_log_columns(warehouse: Warehouse) -> None:
    for name in warehouse.tables("silver"):
        if not name.endswith("_log"):
            continue
        columns = {column.name for column in warehouse.describe("silver", name) or ()}
        names = {before: after for before, after in FORMER_LOG_COLUMNS.items() if before in columns}
        if names and "sequence" in columns:
            warehouse.rename_columns("silver", name, names)


def _move_table(warehouse: Warehouse, table: Table, former: str) -> None:
    """Put the rows of a small table into one of another name, in the place of what an upgrade without an end left there."""
    warehouse.drop("meta", table.name)
    warehouse.ensure(table)
    stored = {column.name for column in warehouse.describe("meta", former) or ()}
    before = {name: FORMER_COLUMNS.get(table.name, {}).get(name, name) for name in table.names}
    names = [name for name in table.names if before[name] in stored]
    values = column_list_sql(before[name] for name in names)
    warehouse.append("meta", table.name, names, f"SELECT {values} FROM {warehouse.ref('meta', former)}")
    warehouse.drop("meta", former)
