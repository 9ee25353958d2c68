"""Loads a small company: merges events into silver, builds tables, and reads rows of gold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from headwater.clock import to_micros
from headwater.events import EventListener, discard
from headwater.gold.dimension.build import build_dimension
from headwater.gold.fact.build import build_fact
from headwater.gold.star import Star
from headwater.model.dimension import Dimension
from headwater.model.fact import Fact
from headwater.model.tables import list_in_build_order, list_source_entities
from headwater.names import quote
from headwater.silver.merge.merge import merge
from headwater.silver.merge.result import Provenance
from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.history.entity import list_event_columns
from headwater.testing.conformance.history.oracle import Event
from headwater.testing.conformance.star.model import STAR
from headwater.warehouse.base import Warehouse, WriteCounts
from headwater.warehouse.stage_rows import stage_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityEvent:
    """An event of an entity of the company."""

    entity: str
    event: Event


def to_sequence(text: str) -> int:
    """The microseconds since 1970 of an instant in UTC, in ISO 8601."""
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def make_event(entity: str, key: int, when: str, operation: str = "U", /, *, batch: str = "b1", **values: Any) -> Event:
    """An event with every column. Those that are not in `values` are NULL."""
    columns = STAR.declarations.entities[entity].columns
    known = dict.fromkeys(columns) | {f"{entity}_id": key} | values if operation == "U" else {}
    text = hashlib.md5(repr(sorted(known.items())).encode(), usedforsecurity=False).hexdigest()
    return Event(f"desk:{key}", to_sequence(when), operation, known, text, batch, f"shop.{entity}s")


def create_tables(warehouse: Warehouse, *names: str) -> Warehouse:
    """Create the tables of these entities, or of all entities. Returns the warehouse."""
    for name in names or STAR.declarations.entities:
        if warehouse.describe("silver", name) is None:
            migrate_tables(warehouse, STAR.declarations.entities[name])
    return warehouse


def to_read_time(batch: str) -> datetime:
    """When the batch `b<n>` was read: on the first day of the n-th month of 2024, in UTC."""
    return datetime(2024, min(int(batch[1:]), 12), 1, tzinfo=UTC)


def merge_events(warehouse: Warehouse, entity: str, *events: Event) -> None:
    """Merge events into silver. Creates the tables of the entity if needed."""
    create_tables(warehouse, entity)
    declaration = STAR.declarations.entities[entity]
    columns = list_event_columns({name: column.type for name, column in declaration.columns.items()})
    records = [
        {"entity_key": event.key, "sequence": event.sequence, "operation": event.operation,
         "source": event.source, **event.values, "known_columns": None if event.operation == "U" else ",", "hash": event.hash,
         "stamp": event.sequence, "observed": event.observed, "place": event.place, "batch_id": f"{event.batch}-{entity}"}
        for event in events
    ]  # fmt: skip
    staged = stage_rows(warehouse, "arrived", columns, records)
    batches = [_build_provenance(entity, name) for name in sorted({event.batch for event in events})]
    merge(warehouse, declaration, staged, batches=batches)


def _build_provenance(entity: str, batch: str) -> Provenance:
    return Provenance(
        batch_id=f"{batch}-{entity}",
        connection="desk",
        resource=f"{entity}s",
        source=f"shop.{entity}s",
        read_at=to_read_time(batch),
    )


def merge_all(warehouse: Warehouse, items: Iterable[EntityEvent]) -> None:
    """Merge events of several entities, one entity after the other."""
    arriving = list(items)
    for entity in STAR.declarations.entities:
        if own := [item.event for item in arriving if item.entity == entity]:
            merge_events(warehouse, entity, *own)


def build_star(
    warehouse: Warehouse, star: Star = STAR, *, rebuild: bool = False, listen: EventListener = discard
) -> WriteCounts:
    """Update all tables of gold."""
    written = WriteCounts()
    for table in list_in_build_order(star.declarations):
        written += build_table(warehouse, star, table, rebuild=rebuild, listen=listen)
    return written


def build_table(
    warehouse: Warehouse, star: Star, table: Dimension | Fact, *, rebuild: bool = False, listen: EventListener = discard
) -> WriteCounts:
    """Update one table of gold. Creates empty tables for entities without events."""
    if entities := sorted(list_source_entities(table)):
        create_tables(warehouse, *entities)
    if isinstance(table, Fact):
        return build_fact(warehouse, star, table, rebuild=rebuild, listen=listen)
    return build_dimension(warehouse, star, table, rebuild=rebuild, listen=listen)


def read_rows(warehouse: Warehouse, table: str, *columns: str, where: str = "TRUE") -> list[tuple[Any, ...]]:
    """Rows of a table of gold, sorted. Dates and timestamps are ISO 8601 texts (midnight without time), decimals are floats."""
    names = ", ".join(map(quote, columns))
    rows = sort_rows(warehouse.rows(f"SELECT {names} FROM gold.{quote(table)} WHERE {where}"))
    return [tuple(_to_plain(value) for value in row) for row in rows]


def sort_rows(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows sorted by all columns, NULL last."""
    return sorted(rows, key=lambda row: [(value is None, value) for value in row])


def read_star(warehouse: Warehouse, skip: Iterable[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """All rows and columns of gold, by table."""
    return {
        name: sort_rows(warehouse.rows(f"SELECT * FROM gold.{quote(name)}"))
        for name in warehouse.tables("gold")
        if name not in set(skip)
    }


def _to_plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
