"""Deletes and inserts rows in tables without row ids: rows are found by all their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from headwater.dtypes import DUCKDB, render_dtype
from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import SchemaName, Table, WriteCounts
from headwater.warehouse.dialect.text import same_row_condition

STAGED = ("replaced__stored", "replaced__fresh", "replaced__gone", "replaced__added")
"""Temporary tables of this module."""


class PortableSqlSession(Protocol):
    """The methods of the warehouse that replacing needs, with portable SQL."""

    def ref(self, layer: SchemaName, name: str) -> str:
        """Return the quoted name of a stored table."""
        ...

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """Return the rows of a small result."""
        ...

    def stage(self, name: str, select: str, *more: str) -> str:
        """Store the rows of a SELECT in a temporary table; return its quoted name."""
        ...

    def unstage(self, *names: str) -> None:
        """Drop temporary tables."""
        ...

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Insert rows into a stored table; return their number."""
        ...

    def delete_matching(self, layer: SchemaName, name: str, staged: str, condition: str) -> int:
        """Delete the rows of a stored table that match a row `m` of a staged one; return their number."""
        ...


def replace_rows(warehouse: PortableSqlSession, table: Table, *, keys: str, new_rows: str) -> WriteCounts:
    """Make the stored rows whose `table.key` is in `keys` equal to `new_rows`, touching only rows that differ.

    Rows are joined by their keys, with a hash, and are then compared in all columns.
    """
    null_condition = " OR ".join(f"{quote(name)} IS NULL" for name in table.key)
    has_null = bool(warehouse.rows(f"SELECT 1 FROM {keys} WHERE {null_condition} LIMIT 1"))

    def equal_keys_condition(left: str, right: str) -> str:
        return same_row_condition(table.key, left, right) if has_null else _equal_condition(table.key, left, right)

    stored = warehouse.stage(
        "replaced__stored",
        f"SELECT {column_list_sql(table.names, 's')} FROM {warehouse.ref(table.layer, table.name)} AS s "
        f"JOIN (SELECT DISTINCT {column_list_sql(table.key)} FROM {keys}) AS k ON {equal_keys_condition('k', 's')}",
    )
    typed_rows = warehouse.stage("replaced__fresh", f"SELECT {_typed_columns_sql(table)} FROM {new_rows}")
    rest = [name for name in table.names if name not in table.key]

    def equal_rows_condition(left: str, right: str) -> str:
        return equal_keys_condition(left, right) + (f" AND {same_row_condition(rest, left, right)}" if rest else "")

    def select_missing(rows: str, others: str) -> str:
        return (
            f"SELECT {column_list_sql(table.names, 's')} FROM {rows} AS s "
            f"LEFT JOIN (SELECT *, 1 AS _there FROM {others}) AS o ON {equal_rows_condition('o', 's')} WHERE o._there IS NULL"
        )

    deletes = warehouse.stage("replaced__gone", select_missing(stored, typed_rows))
    inserts = warehouse.stage("replaced__added", select_missing(typed_rows, stored))
    deleted = warehouse.delete_matching(table.layer, table.name, deletes, equal_rows_condition("m", quote(table.name)))
    inserted = warehouse.append(
        table.layer, table.name, table.names, f"SELECT {column_list_sql(table.names)} FROM {inserts}"
    )
    for name in STAGED:
        warehouse.unstage(name)
    return WriteCounts(deleted=deleted, inserted=inserted)


def apply_changes(
    warehouse: PortableSqlSession, table: Table, changes: str, *, old_key_columns: Mapping[str, str], inserts: str
) -> WriteCounts:
    """Delete rows by their old primary keys, and insert the new rows."""
    same = " AND ".join(
        f"m.{quote(old_key_columns[name])} = {quote(table.name)}.{quote(name)}" for name in table.primary_key
    )
    deleted = warehouse.delete_matching(table.layer, table.name, changes, same)
    select = f"SELECT {column_list_sql(table.names)} FROM {changes} WHERE {quote(table.primary_key[0])} IS NOT NULL"
    inserted = warehouse.append(table.layer, table.name, table.names, select)
    if inserts:
        inserted += warehouse.append(table.layer, table.name, table.names, inserts)
    return WriteCounts(deleted=deleted, inserted=inserted)


def _equal_condition(columns: Sequence[str], left: str, right: str) -> str:
    return " AND ".join(f"{left}.{quote(name)} = {right}.{quote(name)}" for name in columns)


def _typed_columns_sql(table: Table) -> str:
    """The columns cast to their stored types, so that numbers are compared with the same number of digits."""
    return ", ".join(
        f"CAST({quote(column.name)} AS {render_dtype(column.dtype, DUCKDB)}) AS {quote(column.name)}"
        for column in table.columns
    )
