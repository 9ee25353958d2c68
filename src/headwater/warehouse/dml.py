"""INSERT, DELETE and UPDATE in portable SQL, for engines that know them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from headwater.errors import WarehouseError
from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import SchemaName, Table, TableColumn, Warehouse, WriteCounts

Execute = Callable[[str], int]
"""Runs a statement; how many rows it wrote."""


def append(execute: Execute, ref: str, columns: Sequence[str], select: str) -> int:
    """Put the rows of `select` into the table `ref`."""
    return execute(f"INSERT INTO {ref} ({column_list_sql(columns)}) {select}")


def delete(execute: Execute, ref: str, where: str) -> int:
    """Delete the rows that meet a condition."""
    return execute(f"DELETE FROM {ref} WHERE {where}")


def update(execute: Execute, ref: str, values: Mapping[str, str], where: str) -> int:
    """Update columns of the rows that meet a condition."""
    settings = ", ".join(f"{quote(name)} = {value}" for name, value in values.items())
    return execute(f"UPDATE {ref} SET {settings} WHERE {where}")


def overwrite_rows(
    warehouse: Warehouse, layer: SchemaName, name: str, *, where: str, columns: Sequence[str], select: str
) -> WriteCounts:
    """Put the rows of `select` in the place of those that hold a condition over their own columns, as one change.

    `select` is evaluated after those rows are deleted: it does not read the table.
    """
    with warehouse.transaction():
        deleted = warehouse.delete(layer, name, where)
        return WriteCounts(deleted=deleted, inserted=warehouse.append(layer, name, columns, select))


def apply(
    execute: Execute,
    ref: str,
    table: Table,
    changes: str,
    *,
    old_key_columns: Mapping[str, str],
    inserts: str,
    gone: str = "",
) -> WriteCounts:
    """Take away the rows that go, found by their primary keys or by the condition `gone`, and put in those that come."""
    if not gone:
        same = " AND ".join(f"m.{quote(old_key_columns[name])} = {ref}.{quote(name)}" for name in table.primary_key)
        gone = f"EXISTS (SELECT 1 FROM {changes} AS m WHERE {same})"
    deleted = delete(execute, ref, gone)
    comes = f"{quote(table.primary_key[0])} IS NOT NULL"
    names = column_list_sql(table.names)
    inserted = append(execute, ref, table.names, f"SELECT {names} FROM {changes} WHERE {comes}")
    if inserts:
        inserted += append(execute, ref, table.names, inserts)
    return WriteCounts(deleted=deleted, inserted=inserted)


def widening_error(table: Table, column: TableColumn, stored: str, *, where: str) -> WarehouseError:
    """The error for a stored column that cannot hold what is declared now."""
    return WarehouseError(
        f"column `{column.name}` cannot be changed to {column.dtype}: not every {stored} value fits",
        where=f"{where}, {table.layer}.{table.name}",
        details=f"stored as {stored}, declared as {column.dtype}",
        hint="`headwater rebuild` rebuilds the table from raw",
    )
