"""Upserts a dimension: writes only changed keys, and publishes only those to consumers."""

from __future__ import annotations

from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import StagedRows, Table, Warehouse, WriteCounts

STAGED = (
    "gold_keys", "gold_below", "gold_fresh", "gold_numbered", "gold_changed", "gold_narrow", "gold_reserved", "gold_days",
    "gold_months", "gold_met", "gold_filled", "gold_forsaken", "gold_nothing", "gold_held",
    "gold_rekey", "gold_rekeyed", "gold_versions", "gold_seen", "gold_inferred", "gold_asked",
)  # fmt: skip
"""What a build stages, beside the numbered `gold_part_0`, `gold_referred_0` and so on."""


def upsert_members(
    warehouse: Warehouse, table: Table, *, keys: str, fresh: str, stored: StagedRows | None
) -> tuple[str, str, WriteCounts]:
    """Make the stored rows of the staged `keys` equal to the staged `fresh`.

    `stored` is what is stored of them, unless that is everything. `fresh` may be of a superset of the table's
    columns; comparison is of whole rows and NULL-safe. Gives the staged keys that differed, their staged rows, the cost.
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
    narrow = warehouse.stage("gold_narrow", f"{wanted} WHERE entity_key IN (SELECT entity_key FROM {changed})")
    return changed, narrow, warehouse.replace_rows(table, keys=changed, fresh=narrow, stored=stored)


def unstage_all(warehouse: Warehouse, *, numbers: int = 0) -> None:
    """Let go of what a build staged. One that fails leaves nothing: its transaction takes it away."""
    numbered = (
        f"gold_{name}_{number}" for name in ("part", "referred", "members", "likely") for number in range(numbers)
    )
    for name in (*STAGED, *numbered):
        warehouse.unstage(name)
