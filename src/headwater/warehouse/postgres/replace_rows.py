"""Replaces rows in Postgres, by their physical location (`ctid`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import SchemaName, Table, WriteCounts
from headwater.warehouse.dialect.text import same_row_condition
from headwater.warehouse.postgres.ddl import to_cast_type


class OwnSqlSession(Protocol):
    """The methods of the warehouse that replacing needs: statements in its own dialect."""

    def own_ref(self, layer: SchemaName, name: str) -> str:
        """Return the quoted name of a stored table."""
        ...

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a small result."""
        ...

    def execute_own(self, statement: str) -> int:
        """Run a statement; return how many rows it wrote."""
        ...

    def stage_own(self, name: str, select: str) -> str:
        """Store the rows of a SELECT in a temporary table; return its quoted name."""
        ...

    def unstage(self, name: str) -> None:
        """Drop a temporary table."""
        ...


def replace_rows(warehouse: OwnSqlSession, table: Table, *, keys: str, new_rows: str) -> WriteCounts:
    """Make the stored rows whose `table.key` is in `keys` equal to `new_rows`, touching only rows that differ.

    Rows are compared by key first, with an index or a hash, and then in all columns.
    """
    ref, names = warehouse.own_ref(table.layer, table.name), column_list_sql(table.names)
    null_condition = " OR ".join(f"{quote(name)} IS NULL" for name in table.key)
    has_null = bool(warehouse.rows(f"SELECT 1 FROM {keys} WHERE {null_condition} LIMIT 1"))
    key_condition = same_row_condition(table.key, "k", "s") if has_null else _equal_condition(table.key, "k", "s")
    stored = warehouse.stage_own(
        "replaced__stored",
        f"SELECT s.ctid AS _row, {column_list_sql(table.names, 's')} FROM {ref} AS s "
        f"WHERE EXISTS (SELECT 1 FROM {keys} AS k WHERE {key_condition})",
    )
    typed_rows = f"(SELECT {_typed_columns_sql(table)} FROM {new_rows})"

    def missing_condition(rows: str, others: str) -> str:
        same = (
            same_row_condition(table.names, "o", rows)
            if has_null
            else _equal_condition(table.key, "o", rows) + _rest_condition(table, rows)
        )
        return f"NOT EXISTS (SELECT 1 FROM {others} AS o WHERE {same})"

    delete_ids = warehouse.stage_own(
        "replaced__gone", f"SELECT _row FROM {stored} AS s WHERE {missing_condition('s', typed_rows)}"
    )
    inserts = warehouse.stage_own(
        "replaced__added",
        f"SELECT {column_list_sql(table.names, 'f')} FROM {typed_rows} AS f WHERE {missing_condition('f', stored)}",
    )
    deleted = warehouse.execute_own(f"DELETE FROM {ref} WHERE ctid = ANY (ARRAY(SELECT _row FROM {delete_ids}))")
    inserted = warehouse.execute_own(f"INSERT INTO {ref} ({names}) SELECT {names} FROM {inserts}")
    for name in ("replaced__stored", "replaced__gone", "replaced__added"):
        warehouse.unstage(name)
    return WriteCounts(deleted=deleted, inserted=inserted)


def _equal_condition(columns: Sequence[str], left: str, right: str) -> str:
    return " AND ".join(f"{left}.{quote(name)} = {right}.{quote(name)}" for name in columns)


def _rest_condition(table: Table, rows: str) -> str:
    rest = [name for name in table.names if name not in table.key]
    return f" AND {same_row_condition(rest, 'o', rows)}" if rest else ""


def _typed_columns_sql(table: Table) -> str:
    """The columns cast to their stored types, so that numbers are compared with the same number of digits."""
    return ", ".join(
        f"CAST({quote(column.name)} AS {to_cast_type(column)}) AS {quote(column.name)}" for column in table.columns
    )
