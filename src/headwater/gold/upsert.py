"""Upserts a dimension: writes only changed keys, and publishes only those to consumers."""

from __future__ import annotations

from headwater.gold.columns import select_list
from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Table, Warehouse, WriteCounts
from headwater.warehouse.dialect.render import absent_condition
from headwater.warehouse.row_lookup import STAGED as PLACES
from headwater.warehouse.row_lookup import LocatedRows

STAGED = (
    "gold_keys", "gold_below", "gold_fresh", "gold_numbered", "gold_changed", "gold_narrow", "gold_reserved", "gold_days",
    "gold_months", "gold_met", "gold_filled", "gold_forsaken", "gold_nothing", "gold_held", "gold_moved",
    "gold_rekey", "gold_rekeyed", "gold_versions", "gold_seen", "gold_inferred", "gold_asked", *PLACES,
)  # fmt: skip
"""What a build stages, beside the numbered `gold_part_0`, `gold_referred_0` and so on."""


def upsert_members(
    warehouse: Warehouse, table: Table, *, keys: str, fresh: str, found: LocatedRows | None
) -> tuple[str, str, WriteCounts]:
    """Make the stored rows of the staged `keys` equal to the staged `fresh`.

    What is stored of them was `found` already, unless that is everything. `fresh` may be of a superset of the table's
    columns; comparison is of whole rows and NULL-safe. Gives the staged keys that differed, their staged rows, the cost.
    """
    names, stored = column_list_sql(table.names), warehouse.ref(table.layer, table.name)
    held = f"SELECT {names} FROM {stored} WHERE entity_key IN (SELECT entity_key FROM {keys})"
    if found:
        held = f"SELECT {names} FROM {found.relation}"
    wanted = f"SELECT {names} FROM {fresh}"
    differ = (
        f"SELECT entity_key FROM ({wanted} EXCEPT {held}) AS _fresh\nUNION\n"
        f"SELECT entity_key FROM ({held} EXCEPT {wanted}) AS _gone"
    )
    changed = warehouse.stage("gold_changed", differ)
    narrow = warehouse.stage(
        "gold_narrow", f"SELECT {names} FROM {fresh} WHERE entity_key IN (SELECT entity_key FROM {changed})"
    )
    return changed, narrow, replace_changed(warehouse, table, keys=changed, fresh=narrow, found=found)


def replace_changed(
    warehouse: Warehouse, table: Table, *, keys: str, fresh: str, found: LocatedRows | None
) -> WriteCounts:
    """Make the stored rows of the staged `keys` equal to the staged `fresh`, touching only rows that differ.

    `found` holds what is stored of them, and perhaps of others, unless that is everything.
    """
    if found is None or not found.has_row_ids:
        return warehouse.replace_rows(table, keys=keys, fresh=fresh)
    old_key_columns = {name: f"_was_{name}" for name in table.primary_key}
    before = ", ".join(f"s.{quote(name)} AS {quote(old_key_columns[name])}" for name in old_key_columns)
    gone = (
        f"SELECT s._row, {before}, {select_list(table, {})} FROM {found.relation} AS s\n"
        f"WHERE s.entity_key IN (SELECT entity_key FROM {keys}) AND {absent_condition(table, 's', fresh)}"
    )
    nothing = ", ".join(f"NULL AS {quote(name)}" for name in old_key_columns.values())
    inserts = (
        f"SELECT NULL AS _row, {nothing}, {column_list_sql(table.names, 'f')} FROM {fresh} AS f\n"
        f"WHERE {absent_condition(table, 'f', found.relation)}"
    )
    return warehouse.apply(
        table, warehouse.stage("gold_moved", gone, inserts), old_key_columns=old_key_columns, use_row_ids=True
    )


def unstage_all(warehouse: Warehouse, *, numbers: int = 0) -> None:
    """Let go of what a build staged. One that fails leaves nothing: its transaction takes it away."""
    numbered = (
        f"gold_{name}_{number}" for name in ("part", "referred", "members", "likely") for number in range(numbers)
    )
    for name in (*STAGED, *numbered):
        warehouse.unstage(name)
