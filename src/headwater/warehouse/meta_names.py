"""The tables of the schema `meta` by the names that version 0.1 gave them, for warehouses that no run has opened since."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.warehouse.base import Warehouse

FORMER_NAMES: Mapping[str, str] = {
    "change_feed": "change",
    "consumed_batch": "intake",
    "consumer_offset": "progress",
    "entity_schema": "shape",
    "repeat_watermark": "idle",
    "tied_keys": "tied",
}
"""Table -> its name in version 0.1."""

FORMER_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "consumed_batch": {"attempt": "reading"},
    "entity_schema": {"declaration": "shape"},
}
"""Table -> its columns that had another name in version 0.1, with that name."""

FORMER_LOG_COLUMNS: Mapping[str, str] = {"known": "known_columns"}
"""Columns of a change log in version 0.1 -> their names today."""


def find_meta_table(warehouse: Warehouse, name: str) -> str | None:
    """What a table of the schema `meta` is stored as; None when there is none."""
    former = FORMER_NAMES.get(name, name)
    return next((stored for stored in (name, former) if warehouse.describe("meta", stored) is not None), None)
