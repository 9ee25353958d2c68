"""The history that a scenario wrote, read from the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.warehouse.base import Warehouse

ENTITY = "thing"
"""The entity into which a scenario reads its resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHistory:
    """The history of one record."""

    note: Any
    """Its current value."""
    versions: int


def read_history(warehouse: Warehouse, *, keys: int, has_note: bool) -> dict[tuple[str, ...], KeyHistory]:
    """The records that exist now, by key. `keys`: the number of key columns. WarehouseError if there is no table yet."""
    columns = ", ".join(f"k{number}" for number in range(keys))
    note = "note" if has_note else "NULL AS note"
    _, rows = warehouse.answer(f"SELECT {columns}, {note} FROM silver.{ENTITY}_current")
    _, counts = warehouse.answer(f"SELECT {columns}, count(*) FROM silver.{ENTITY} GROUP BY ALL")
    versions = {_to_key(row): int(row[-1]) for row in counts}
    return {_to_key(row): KeyHistory(note=row[-1], versions=versions.get(_to_key(row), 0)) for row in rows}


def _to_key(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(map(str, row[:-1]))
