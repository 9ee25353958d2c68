"""How an entity was declared when its tables were last made ready: what a declaration that changed is held against."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from headwater.model.entity import RESERVED, Column
from headwater.names import quote_literal
from headwater.silver.entity_tables import EntityTables
from headwater.silver.schema.tables import ENTITY_SCHEMAS, LOG_COLUMNS
from headwater.warehouse.base import Warehouse
from headwater.warehouse.dml import overwrite_rows
from headwater.warehouse.meta_names import FORMER_LOG_COLUMNS, find_meta_table

LOG_FORM = 2
"""The form of the change log; the first one did not hold when an event was observed, nor which source said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaSnapshot:
    """The declaration by which an entity's tables were created."""

    key: tuple[str, ...] = ()
    columns: Mapping[str, Column]
    """Every column that is stored; `renamed_from` is what events call it, where that is not its name."""
    retired: tuple[str, ...] = ()
    """Those that are declared no more: they keep what is known, and nobody tells of them."""
    rebuilding: bool = False
    """Whether the history is being made anew, and not all of it is there yet."""
    log: int = LOG_FORM
    """Which form the change log has."""

    def render(self) -> str:
        """As it is stored; what is usual is not mentioned."""
        columns = {
            name: [column.type, column.history, *([column.renamed_from] if column.renamed_from else [])]
            for name, column in self.columns.items()
        }
        unusual: dict[str, Any] = {"retired": list(self.retired)} if self.retired else {}
        unusual |= {"anew": 1} if self.rebuilding else {}
        return json.dumps({"key": list(self.key), "columns": columns, **unusual, "log": self.log})


def load_snapshots(warehouse: Warehouse, table: str = ENTITY_SCHEMAS.name) -> dict[str, SchemaSnapshot]:
    """What is noted, by entity. `table`: what the table that holds it is called."""
    rows = warehouse.rows(f"SELECT * FROM {warehouse.ref('meta', table)}")
    return {str(name): _parse(str(text)) for name, text in rows}


def find_snapshots(warehouse: Warehouse) -> dict[str, SchemaSnapshot]:
    """What is noted, by entity, in a warehouse that is read only: it may have no tables yet, or those of version 0.1."""
    table = find_meta_table(warehouse, ENTITY_SCHEMAS.name)
    return load_snapshots(warehouse, table) if table else {}


def read_stored_schema(tables: EntityTables, notes: Mapping[str, SchemaSnapshot]) -> SchemaSnapshot | None:
    """What the tables of an entity were made by; None when there are none.

    Where nothing is noted, what is stored tells the columns, and the declaration is believed for all else.
    """
    entity = tables.entity
    stored = tables.warehouse.describe("silver", tables.name)
    if stored is None:
        return None
    known = notes.get(tables.name)
    if known is not None and known.columns:
        return known
    columns = {
        column.name: entity.columns.get(column.name, Column.model_validate({"type": column.dtype}))
        for column in stored
        if column.name not in RESERVED
    }
    return SchemaSnapshot(key=entity.key, columns=columns, rebuilding=known is not None and known.rebuilding)


def is_outdated(tables: EntityTables, known: SchemaSnapshot | None) -> bool:
    """Whether the change log of an entity has an older form, which no history can go on with."""
    if known is not None and known.log == LOG_FORM:
        return False
    stored = tables.warehouse.describe("silver", f"{tables.name}_log")
    if stored is None:
        return False
    names = {FORMER_LOG_COLUMNS.get(column.name, column.name) for column in stored}
    return not names.issuperset(LOG_COLUMNS)


def save_snapshot(tables: EntityTables, text: str) -> None:
    """Note what the tables of an entity are made by (`SchemaSnapshot.render`)."""
    select = f"SELECT {quote_literal(tables.name)}, {quote_literal(text)}"
    overwrite_rows(
        tables.warehouse,
        "meta",
        ENTITY_SCHEMAS.name,
        where=tables.own_condition,
        columns=ENTITY_SCHEMAS.names,
        select=select,
    )


@lru_cache(maxsize=1024)
def _parse(text: str) -> SchemaSnapshot:
    snapshot = json.loads(text)
    columns = {
        name: Column.model_validate(dict(zip(("type", "history", "renamed_from"), values, strict=False)))
        for name, values in snapshot["columns"].items()
    }
    return SchemaSnapshot(
        key=tuple(snapshot["key"]),
        columns=columns,
        retired=tuple(snapshot.get("retired", ())),
        rebuilding=bool(snapshot.get("anew")),
        log=int(snapshot.get("log", 1)),
    )
