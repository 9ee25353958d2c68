"""The names of the tables of the schema `meta` in version 0.1, for warehouses that no run has upgraded yet."""

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
"""Table -> column -> its name in version 0.1, for renamed columns."""

FORMER_LOG_COLUMNS: Mapping[str, str] = {"known": "known_columns"}
"""Columns of a change log in version 0.1 -> their names today."""


def find_meta_table(warehouse: Warehouse, name: str) -> str | None:
    """Return the stored name of a table of the schema `meta`, or None if it does not exist."""
    former = FORMER_NAMES.get(name, name)
    return next((stored for stored in (name, former) if warehouse.describe("meta", stored) is not None), None)
