"""Rows replaced in DuckDB, by their row ids where those are stable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import StagedRows, Table, Warehouse, WriteCounts
from headwater.warehouse.dialect.render import absent_condition, same_row_condition
from headwater.warehouse.duckdb.row_lookup import have_row_ids

_SHARE = 2_000_000
"""Rows that are compared whole at a time."""


class DuckDBSession(Warehouse, Protocol):
    """What is needed of the warehouse: also statements that write."""

    def execute(self, statement: str) -> int:
        """Run a statement; rows it wrote."""
        ...


def changed_rows_condition(
    table: Table, changes: str, *, old_key_columns: Mapping[str, str], stored: Sequence[StagedRows]
) -> str:
    """The condition of the rows that `changes` deletes, by the ids of the `stored` rows; empty where those have none."""
    if not stored or not all(part.has_row_ids for part in stored):
        return ""
    same = " AND ".join(f"m.{quote(old_key_columns[name])} = s.{quote(name)}" for name in table.primary_key)
    ids = (
        f"SELECT s._row FROM {part.relation} AS s WHERE EXISTS (SELECT 1 FROM {changes} AS m WHERE {same})"
        for part in stored
    )
    return f"rowid IN ({' UNION ALL '.join(ids)})"


def replace_located(warehouse: DuckDBSession, table: Table, *, keys: str, new_rows: str, stored: str) -> WriteCounts:
    """`Warehouse.replace_rows`, where the stored rows are staged with their ids."""
    among = f"EXISTS (SELECT 1 FROM {keys} AS k WHERE {same_row_condition(table.key, 'k', 's')})"
    select = f"SELECT s._row FROM {stored} AS s WHERE {among} AND {absent_condition(table, 's', new_rows)}"
    with warehouse.staging():
        gone = warehouse.stage("replaced__gone", select)
        added = _stage_added(warehouse, table, new_rows, stored)
        return _write(warehouse, table, f"s.rowid IN (SELECT _row FROM {gone})", added)


def replace_in_parts(warehouse: DuckDBSession, table: Table, *, keys: str, new_rows: str) -> WriteCounts:
    """`Warehouse.replace_rows`. Many rows are compared a share of the keys at a time, so that it needs bounded memory."""
    shares = 1 + max(warehouse.count(rows) for rows in (keys, new_rows)) // _SHARE
    written = WriteCounts()
    with warehouse.staging():
        if shares == 1:
            return _replace_part(warehouse, table, keys=keys, new_rows=new_rows, own="TRUE")
        for number in range(shares):
            own = f"HASH({column_list_sql(table.key)}) % {shares} = {number}"
            part = warehouse.stage(
                "replaced__fresh", f"SELECT {column_list_sql(table.names)} FROM {new_rows} WHERE {own}"
            )
            written += _replace_part(
                warehouse, table, keys=f"(SELECT * FROM {keys} WHERE {own})", new_rows=part, own=own
            )
    return written


def _replace_part(warehouse: DuckDBSession, table: Table, *, keys: str, new_rows: str, own: str) -> WriteCounts:
    """Replace the rows of the keys that meet the condition `own`, of which alone `keys` and `new_rows` are."""
    ref, names = warehouse.ref(table.layer, table.name), column_list_sql(table.names, "s")
    among = f"EXISTS (SELECT 1 FROM {keys} AS k WHERE {same_row_condition(table.key, 'k', 's')})"
    stored = warehouse.stage(
        "replaced__stored", f"SELECT s.rowid AS _row, {names} FROM {ref} AS s WHERE {own} AND {among}"
    )
    absent = absent_condition(table, "s", new_rows)
    gone = warehouse.stage("replaced__gone", f"SELECT _row FROM {stored} AS s WHERE {absent}")
    added = _stage_added(warehouse, table, new_rows, stored)
    by_row_id = have_row_ids(warehouse, stored)
    where = f"s.rowid IN (SELECT _row FROM {gone})" if by_row_id else f"{among} AND {absent}"
    return _write(warehouse, table, where, added)


def _stage_added(warehouse: Warehouse, table: Table, new_rows: str, stored: str) -> str:
    select = f"SELECT {column_list_sql(table.names)} FROM {new_rows} AS f WHERE {absent_condition(table, 'f', stored)}"
    return warehouse.stage("replaced__added", select)


def _write(warehouse: DuckDBSession, table: Table, gone: str, added: str) -> WriteCounts:
    ref, names = warehouse.ref(table.layer, table.name), column_list_sql(table.names)
    deleted = warehouse.execute(f"DELETE FROM {ref} AS s WHERE {gone}")
    return WriteCounts(
        deleted=deleted, inserted=warehouse.execute(f"INSERT INTO {ref} ({names}) SELECT {names} FROM {added}")
    )
