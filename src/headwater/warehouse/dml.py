"""INSERT, DELETE and UPDATE in portable SQL, for engines that support them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from headwater.errors import WarehouseError
from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import SchemaName, Table, TableColumn, Warehouse, WriteCounts

Execute = Callable[[str], int]
"""Runs a statement and returns how many rows it wrote."""


def append(execute: Execute, ref: str, columns: Sequence[str], select: str) -> int:
    """Insert the rows of `select` into the table `ref`."""
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
    """Replace the rows that meet a condition over their own columns by the rows of `select`, in one transaction.

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
    delete_condition: str = "",
) -> WriteCounts:
    """Delete rows by their old primary keys, or by `delete_condition` if given, and insert the new rows."""
    if not delete_condition:
        same = " AND ".join(f"m.{quote(old_key_columns[name])} = {ref}.{quote(name)}" for name in table.primary_key)
        delete_condition = f"EXISTS (SELECT 1 FROM {changes} AS m WHERE {same})"
    deleted = delete(execute, ref, delete_condition)
    insert_condition = f"{quote(table.primary_key[0])} IS NOT NULL"
    names = column_list_sql(table.names)
    select = f"SELECT {names} FROM {changes} WHERE {insert_condition}"
    if inserts:
        select += f"\nUNION ALL {inserts}"
    return WriteCounts(deleted=deleted, inserted=append(execute, ref, table.names, select))


def build_widening_error(table: Table, column: TableColumn, stored: str, *, where: str) -> WarehouseError:
    """Build the error for a stored column whose type cannot be widened to the declared one."""
    return WarehouseError(
        f"column `{column.name}` cannot be changed to {column.dtype}: not every {stored} value fits",
        where=f"{where}, {table.layer}.{table.name}",
        details=f"stored as {stored}, declared as {column.dtype}",
        hint="`headwater rebuild` rebuilds the table from raw",
    )
