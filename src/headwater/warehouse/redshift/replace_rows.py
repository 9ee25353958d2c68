"""Rows taken away and put in where rows have no place of their own: found by all that they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from headwater.dtypes import DUCKDB, render_dtype
from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import SchemaName, Table, WriteCounts
from headwater.warehouse.dialect.render import same_row_condition

STAGED = ("replaced__stored", "replaced__fresh", "replaced__gone", "replaced__added")
"""Temporary tables of this module."""


class PortableSqlSession(Protocol):
    """What is needed of the warehouse, which takes portable SQL."""

    def ref(self, layer: SchemaName, name: str) -> str:
        """The quoted name of a stored table."""
        ...

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """The rows of a small answer."""
        ...

    def stage(self, name: str, select: str, *more: str) -> str:
        """The rows of a SELECT as a temporary table."""
        ...

    def unstage(self, name: str) -> None:
        """Drop a temporary table."""
        ...

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Put rows into a stored table."""
        ...

    def delete_meeting(self, layer: SchemaName, name: str, staged: str, condition: str) -> int:
        """Take away the rows of a stored table that meet a row `m` of a staged one."""
        ...


def replace_rows(warehouse: PortableSqlSession, table: Table, *, keys: str, new_rows: str) -> WriteCounts:
    """Make the stored rows whose `table.key` is in `keys` equal to `new_rows`, touching only rows that differ.

    Rows meet by their keys, which a hash finds, and are then held against each other in all columns.
    """
    empty = " OR ".join(f"{quote(name)} IS NULL" for name in table.key)
    exact = bool(warehouse.rows(f"SELECT 1 FROM {keys} WHERE {empty} LIMIT 1"))

    def meets(left: str, right: str) -> str:
        return same_row_condition(table.key, left, right) if exact else _equal_condition(table.key, left, right)

    stored = warehouse.stage(
        "replaced__stored",
        f"SELECT {column_list_sql(table.names, 's')} FROM {warehouse.ref(table.layer, table.name)} AS s "
        f"JOIN (SELECT DISTINCT {column_list_sql(table.key)} FROM {keys}) AS k ON {meets('k', 's')}",
    )
    wanted = warehouse.stage("replaced__fresh", f"SELECT {_typed_columns_sql(table)} FROM {new_rows}")
    rest = [name for name in table.names if name not in table.key]

    def same(left: str, right: str) -> str:
        return meets(left, right) + (f" AND {same_row_condition(rest, left, right)}" if rest else "")

    def missing(rows: str, others: str) -> str:
        return (
            f"SELECT {column_list_sql(table.names, 's')} FROM {rows} AS s "
            f"LEFT JOIN (SELECT *, 1 AS _there FROM {others}) AS o ON {same('o', 's')} WHERE o._there IS NULL"
        )

    gone = warehouse.stage("replaced__gone", missing(stored, wanted))
    added = warehouse.stage("replaced__added", missing(wanted, stored))
    deleted = warehouse.delete_meeting(table.layer, table.name, gone, same("m", quote(table.name)))
    inserted = warehouse.append(
        table.layer, table.name, table.names, f"SELECT {column_list_sql(table.names)} FROM {added}"
    )
    for name in STAGED:
        warehouse.unstage(name)
    return WriteCounts(deleted=deleted, inserted=inserted)


def apply_changes(
    warehouse: PortableSqlSession, table: Table, changes: str, *, old_key_columns: Mapping[str, str], inserts: str
) -> WriteCounts:
    """Take away the rows that go, found by their primary keys, and put in those that come."""
    same = " AND ".join(
        f"m.{quote(old_key_columns[name])} = {quote(table.name)}.{quote(name)}" for name in table.primary_key
    )
    deleted = warehouse.delete_meeting(table.layer, table.name, changes, same)
    comes = f"SELECT {column_list_sql(table.names)} FROM {changes} WHERE {quote(table.primary_key[0])} IS NOT NULL"
    inserted = warehouse.append(table.layer, table.name, table.names, comes)
    if inserts:
        inserted += warehouse.append(table.layer, table.name, table.names, inserts)
    return WriteCounts(deleted=deleted, inserted=inserted)


def _equal_condition(columns: Sequence[str], left: str, right: str) -> str:
    return " AND ".join(f"{left}.{quote(name)} = {right}.{quote(name)}" for name in columns)


def _typed_columns_sql(table: Table) -> str:
    """The columns as they are once stored: a number is held against one of as many digits."""
    return ", ".join(
        f"CAST({quote(column.name)} AS {render_dtype(column.dtype, DUCKDB)}) AS {quote(column.name)}"
        for column in table.columns
    )
