"""Upserts a dimension: writes only changed keys, and publishes only those to consumers."""

from __future__ import annotations

from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import StagedRows, Table, Warehouse, WriteCounts


def upsert_members(
    warehouse: Warehouse, table: Table, *, keys: str, fresh: str, stored: StagedRows | None, is_narrow: bool
) -> tuple[str, str, WriteCounts]:
    """Make the stored rows of the staged `keys` equal to the staged `fresh`.

    `stored` is what is stored of them, unless that is everything. `fresh` may be of a superset of the table's
    columns; comparison is of whole rows and NULL-safe. With `is_narrow`, few of many rows are expected to differ. Gives the
    staged keys that differed, staged rows with all of theirs, the cost.
    """
    names, wanted = column_list_sql(table.names), f"SELECT {column_list_sql(table.names)} FROM {fresh}"
    among = f"entity_key IN (SELECT entity_key FROM {keys})"
    before = f"SELECT {names} FROM {warehouse.ref(table.layer, table.name)} WHERE {among}"
    if stored:
        before = f"SELECT {names} FROM {stored.relation}"
    differ = (
        f"SELECT entity_key FROM ({wanted} EXCEPT {before}) AS _fresh\nUNION\n"
        f"SELECT entity_key FROM ({before} EXCEPT {wanted}) AS _gone"
    )
    changed = warehouse.stage("gold_changed", differ)
    if not is_narrow:
        return changed, fresh, warehouse.replace_rows(table, keys=keys, new_rows=fresh, stored=stored)
    narrow = warehouse.stage("gold_narrow", f"{wanted} WHERE entity_key IN (SELECT entity_key FROM {changed})")
    return changed, narrow, warehouse.replace_rows(table, keys=changed, new_rows=narrow, stored=stored)
