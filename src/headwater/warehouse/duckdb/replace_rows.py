"""Replaces rows in DuckDB, by their row ids where those are stable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import StagedRows, Table, Warehouse, WriteCounts
from headwater.warehouse.dialect.text import absent_condition, same_row_condition
from headwater.warehouse.duckdb.row_lookup import has_row_ids

_SHARE = 2_000_000
"""The maximum number of rows that are compared at a time."""


class DuckDBSession(Warehouse, Protocol):
    """The methods of the warehouse that replacing needs: also statements that write."""

    def execute(self, statement: str) -> int:
        """Run a statement; return how many rows it wrote."""
        ...


def changed_rows_condition(
    table: Table, changes: str, *, old_key_columns: Mapping[str, str], stored: Sequence[StagedRows]
) -> str:
    """The condition of the rows that `changes` deletes, by the ids of the `stored` rows; empty if those have no ids."""
    if not stored or not all(part.has_row_ids for part in stored):
        return ""
    same = " AND ".join(f"m.{quote(old_key_columns[name])} = s.{quote(name)}" for name in table.primary_key)
    ids = (
        f"SELECT s._row FROM {part.relation} AS s WHERE EXISTS (SELECT 1 FROM {changes} AS m WHERE {same})"
        for part in stored
    )
    return f"rowid IN ({' UNION ALL '.join(ids)})"


def replace_located(warehouse: DuckDBSession, table: Table, *, keys: str, new_rows: str, stored: str) -> WriteCounts:
    """`Warehouse.replace_rows`, if the stored rows are staged with their ids."""
    key_condition = f"EXISTS (SELECT 1 FROM {keys} AS k WHERE {same_row_condition(table.key, 'k', 's')})"
    delete_ids = f"SELECT s._row FROM {stored} AS s WHERE {key_condition} AND {absent_condition(table, 's', new_rows)}"
    return _write(
        warehouse, table, f"s.rowid IN ({delete_ids})", f"({_select_added(table, new_rows, stored)}) AS added"
    )


def replace_in_parts(warehouse: DuckDBSession, table: Table, *, keys: str, new_rows: str) -> WriteCounts:
    """`Warehouse.replace_rows`. Many rows are compared in shares of the keys, so that memory is bounded."""
    shares = 1 + max(warehouse.count(rows) for rows in (keys, new_rows)) // _SHARE
    written = WriteCounts()
    with warehouse.staging():
        if shares == 1:
            return _replace_part(warehouse, table, keys=keys, new_rows=new_rows, share_condition="TRUE")
        for number in range(shares):
            share_condition = f"HASH({column_list_sql(table.key)}) % {shares} = {number}"
            part = warehouse.stage(
                "replaced__fresh", f"SELECT {column_list_sql(table.names)} FROM {new_rows} WHERE {share_condition}"
            )
            written += _replace_part(
                warehouse,
                table,
                keys=f"(SELECT * FROM {keys} WHERE {share_condition})",
                new_rows=part,
                share_condition=share_condition,
            )
    return written


def _replace_part(
    warehouse: DuckDBSession, table: Table, *, keys: str, new_rows: str, share_condition: str
) -> WriteCounts:
    """Replace the rows of the keys that meet the condition `share_condition`, to which `keys` and `new_rows` are limited."""
    ref, names = warehouse.ref(table.layer, table.name), column_list_sql(table.names, "s")
    key_condition = f"EXISTS (SELECT 1 FROM {keys} AS k WHERE {same_row_condition(table.key, 'k', 's')})"
    stored = warehouse.stage(
        "replaced__stored",
        f"SELECT s.rowid AS _row, {names} FROM {ref} AS s WHERE {share_condition} AND {key_condition}",
    )
    absent = absent_condition(table, "s", new_rows)
    delete_ids = warehouse.stage("replaced__gone", f"SELECT _row FROM {stored} AS s WHERE {absent}")
    inserts = warehouse.stage("replaced__added", _select_added(table, new_rows, stored))
    by_row_id = has_row_ids(warehouse, stored)
    where = f"s.rowid IN (SELECT _row FROM {delete_ids})" if by_row_id else f"{key_condition} AND {absent}"
    return _write(warehouse, table, where, inserts)


def _select_added(table: Table, new_rows: str, stored: str) -> str:
    return f"SELECT {column_list_sql(table.names)} FROM {new_rows} AS f WHERE {absent_condition(table, 'f', stored)}"


def _write(warehouse: DuckDBSession, table: Table, where: str, inserts: str) -> WriteCounts:
    ref, names = warehouse.ref(table.layer, table.name), column_list_sql(table.names)
    deleted = warehouse.execute(f"DELETE FROM {ref} AS s WHERE {where}")
    return WriteCounts(
        deleted=deleted, inserted=warehouse.execute(f"INSERT INTO {ref} ({names}) SELECT {names} FROM {inserts}")
    )
