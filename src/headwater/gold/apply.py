"""Fresh rows into a stored dimension: only the keys whose rows differ are touched, and only those are told on."""

from __future__ import annotations

from headwater.gold.shape import listed
from headwater.warehouse.base import Table, Warehouse, Written

STAGED = (
    "gold_keys", "gold_below", "gold_fresh", "gold_numbered", "gold_changed", "gold_narrow", "gold_reserved", "gold_days",
    "gold_months", "gold_met", "gold_filled", "gold_forsaken", "gold_nothing",
)  # fmt: skip
"""What a build stages, beside the numbered `gold_part_0`, `gold_referred_0` and so on."""


def bring(warehouse: Warehouse, table: Table, *, keys: str, fresh: str) -> tuple[str, Written]:
    """Make the stored rows of the staged `keys` equal to the staged `fresh`; the staged keys that differed, and the cost.

    `fresh` may be of a superset of the table's columns; comparison is of whole rows and NULL-safe.
    """
    names, stored = listed(table.names), warehouse.ref(table.layer, table.name)
    held = f"SELECT {names} FROM {stored} WHERE entity_key IN (SELECT entity_key FROM {keys})"
    wanted = f"SELECT {names} FROM {fresh}"
    differ = (
        f"SELECT entity_key FROM ({wanted} EXCEPT {held}) AS _fresh\nUNION\n"
        f"SELECT entity_key FROM ({held} EXCEPT {wanted}) AS _gone"
    )
    changed = warehouse.stage("gold_changed", differ)
    narrow = warehouse.stage(
        "gold_narrow", f"SELECT {names} FROM {fresh} WHERE entity_key IN (SELECT entity_key FROM {changed})"
    )
    written = warehouse.replace_rows(table, keys=changed, fresh=narrow)
    return changed, written


def clear(warehouse: Warehouse, *, numbers: int = 0) -> None:
    """Let go of what a build staged. One that fails leaves nothing: its transaction takes it away."""
    numbered = (f"gold_{name}_{number}" for name in ("part", "referred") for number in range(numbers))
    for name in (*STAGED, *numbered):
        warehouse.unstage(name)
