"""What silver keeps of one thing: its versions, the observations of it, and the batches that brought them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from headwater.errors import StateError
from headwater.model.entity import Entity
from headwater.names import quote, quote_literal
from headwater.silver.entity_tables import EntityTables
from headwater.silver.events import cast_sql, key_sql, records_sql, sequence_sql, stamp_sql
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.silver.schema.diff import OUTDATED
from headwater.silver.schema.snapshot import is_outdated
from headwater.temporal.fold import order_sql
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Warehouse

VersionRow = Mapping[str, Any]
"""A version by column; its instants are in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A line of the change log, without what was seen."""

    sequence: int
    operation: str
    batch_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOrigin:
    """Where a batch comes from."""

    connection: str
    source: str
    """`connector.resource`."""
    read_at: datetime


def find_keys(tables: EntityTables, candidates: Iterable[str]) -> list[str]:
    """Those of some keys that were ever seen, sorted."""
    among = ", ".join(quote_literal(candidate) for candidate in candidates)
    select = f"SELECT DISTINCT entity_key FROM {tables.log_ref} WHERE entity_key IN ({among})"
    return sorted(row[0] for row in tables.warehouse.rows(select))


def read_first_key(tables: EntityTables) -> str | None:
    """A key, as an example of how keys are written; None when nothing was ever seen."""
    key = tables.warehouse.rows(f"SELECT MIN(entity_key) FROM {tables.log_ref}")[0][0]
    return None if key is None else str(key)


def load_versions(tables: EntityTables, key: str) -> list[VersionRow]:
    """The versions of a key, in time."""
    names = (*tables.entity.columns, "valid_from", "valid_to", "batch_id")
    records = tables.warehouse.rows(
        f"SELECT {column_list_sql(names)} FROM {tables.versions_ref} WHERE entity_key = {quote_literal(key)} ORDER BY valid_from"
    )
    rows = [dict(zip(names, row, strict=True)) for row in records]
    return [{**row, **{name: row[name].replace(tzinfo=UTC) for name in ("valid_from", "valid_to")}} for row in rows]


def load_log_entries(tables: EntityTables, key: str) -> list[LogEntry]:
    """All that was seen of a key, in order. StateError where the log was kept by an older Headwater."""
    if is_outdated(tables, None):
        hint = "`headwater run` rebuilds it from all landed batches"
        raise StateError(
            "The history of this entity cannot be read.", where=f"{tables.name}_log", details=OUTDATED, hint=hint
        )
    rows = tables.warehouse.rows(
        f"SELECT sequence, operation, batch_id FROM {tables.log_ref} "
        f"WHERE entity_key = {quote_literal(key)} ORDER BY {order_sql()}"
    )
    return [LogEntry(sequence=sequence, operation=operation, batch_id=batch) for sequence, operation, batch in rows]


def load_batch_origins(warehouse: Warehouse, batches: Iterable[str]) -> dict[str, BatchOrigin]:
    """Where batches come from, by id."""
    among = ", ".join(quote_literal(batch) for batch in sorted(set(batches)))
    if not among:
        return {}
    rows = warehouse.rows(
        f"SELECT batch_id, connection, source, read_at FROM {warehouse.ref('meta', 'batch')} WHERE batch_id IN ({among})"
    )
    return {
        batch: BatchOrigin(connection=connection, source=source, read_at=read_at.replace(tzinfo=UTC))
        for batch, connection, source, read_at in rows
    }


def find_raw_lines(
    warehouse: Warehouse, entity: Entity, mapping: SourceMapping, landed: LandedBatch, *, key: str
) -> list[tuple[int, int]]:
    """(sequence, line in raw) of each record of a batch that is about the entity key, in order."""
    if not landed.files:
        return []
    values = ", ".join(f"{mapping.columns[name]} AS {quote(name)}" for name in entity.key)
    stored = {row[0]: row[1] for row in warehouse.rows(f"DESCRIBE SELECT {values} FROM {records_sql(landed)}")}
    taken = ", ".join(
        f"{cast_sql(mapping.columns[name], entity.columns[name].type, stored[name])} AS {quote(name)}"
        for name in entity.key
    )
    inner = f"SELECT {taken}, {stamp_sql(mapping)} AS _stamp, _line\nFROM {records_sql(landed)}"
    own = key_sql(entity, landed, {name: quote(name) for name in entity.key})
    lines = warehouse.rows(
        f"SELECT {sequence_sql(landed)} AS sequence, _line\n"
        f"FROM ({inner}) AS taken WHERE {own} = {quote_literal(key)} ORDER BY sequence, _line"
    )
    return [(int(sequence), int(line)) for sequence, line in lines]
