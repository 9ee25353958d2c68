"""A bench to try silver on: an entity, a warehouse, events put in and versions read out."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from headwater.model.entity import Entity
from headwater.silver.merge import merge
from headwater.silver.merged import Merged
from headwater.silver.ready import ready
from headwater.warehouse.base import Warehouse
from headwater.warehouse.duckdb import DuckDB
from tests.grid.engines import Engine
from tests.oracle import Seen

THING = Entity.model_validate(
    {
        "entity": "thing",
        "key": "thing_id",
        "columns": {
            "thing_id": "text",
            "name": "text",
            "size": "bigint",
            "note": {"type": "text", "history": "overwrite"},
        },
        "sources": {"shop.things": {"map": {"thing_id": "id", "name": "name", "size": "size", "note": "note"}}},
    }
)
COLUMNS = tuple(THING.columns)


def opened(entity: Entity = THING, path: str = ":memory:") -> DuckDB:
    warehouse = DuckDB("acme", path, threads=1)
    ready(warehouse, entity)
    return warehouse


def made(engine: Engine, entity: Entity = THING, tenant: str = "") -> Warehouse:
    """A warehouse on an engine of the grid, ready for the entity."""
    warehouse = engine.open(tenant)
    ready(warehouse, entity)
    return warehouse


def seen(key: str, sequence: int, operation: str = "U", batch: str = "b", **values: Any) -> Seen:
    """An event as a source would send it; its hash is a function of what it says."""
    known = {"thing_id": key, **values} if operation == "U" else {}
    text = repr(sorted(known.items()))
    return Seen(key, sequence, operation, known, hashlib.md5(text.encode()).hexdigest(), batch)


def staged(warehouse: Warehouse, events: Sequence[Seen], entity: Entity = THING) -> str:
    columns = tuple(entity.columns)
    types = {"text": pa.string(), "bigint": pa.int64()}
    schema = pa.schema(
        [
            ("entity_key", pa.string()),
            ("sequence", pa.int64()),
            ("operation", pa.string()),
            *((name, types[column.type]) for name, column in entity.columns.items()),
            ("known", pa.string()),
            ("hash", pa.string()),
            ("batch_id", pa.string()),
        ]
    )
    rows = [
        (e.key, e.sequence, e.operation, *(e.values.get(c) for c in columns), _known(e, columns), e.hash, e.batch)
        for e in events
    ]
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
    return warehouse.stage_arrow("arrived", table)


def put(warehouse: Warehouse, events: Sequence[Seen], entity: Entity = THING) -> Merged:
    return merge(warehouse, entity, staged(warehouse, events, entity))


def versions(warehouse: Warehouse, entity: Entity = THING) -> list[tuple[Any, ...]]:
    columns = ", ".join(f'"{name}"' for name in entity.columns)
    return warehouse.rows(
        f"SELECT entity_key, {columns}, epoch_us(valid_from), epoch_us(valid_to), is_current, version_number, batch_id "
        f'FROM silver."{entity.entity}" ORDER BY entity_key, version_number'
    )


def cut(events: Sequence[Seen], sizes: Iterable[int]) -> list[list[Seen]]:
    """The events in batches of the given sizes; what is left over is the last batch."""
    rest = iter(events)
    batches = [list(itertools.islice(rest, size)) for size in sizes]
    return [batch for batch in (*batches, list(rest)) if batch]


def _known(event: Seen, columns: Sequence[str]) -> str | None:
    if event.operation == "U" and all(name in event.values for name in columns):
        return None
    return "," + "".join(f"{name}," for name in columns if name in event.values)
