"""Merges events into the history of an entity: recomputes only the keys that arrive, writes only rows that differ.

A key whose events are all newer than everything known of it needs only its last version, which stands in for all that
came before; every other key is folded from its whole log. Both ways give the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from headwater.clock import format_instant
from headwater.model.entity import Entity
from headwater.names import quote_literal
from headwater.silver.entity_tables import EntityTables
from headwater.silver.merge.incoming import dedupe_events, split_reads
from headwater.silver.merge.recompute import recompute
from headwater.silver.merge.result import MergeResult, Provenance
from headwater.silver.schema.tables import BATCHES
from headwater.warehouse.base import Warehouse


def merge(
    warehouse: Warehouse,
    entity: Entity,
    events: str,
    *,
    batches: Sequence[Provenance] = (),
    in_order: bool = False,
) -> MergeResult:
    """Add the events of a relation to the log of `entity` and bring its versions in line; one transaction.

    `events` names a relation with `entity_key`, `sequence`, `operation`, `source`, the declared columns, `known_columns`, `hash`,
    `stamp`, `observed`, `place` and `batch_id`. The entity's tables are ready (`headwater.silver.schema.migrate`). An event
    that the log has already is there once, with its latest observation (`observed`, `place`) and its first (`first_observed`,
    `batch_id`).

    With `in_order` nothing was observed before anything in the log. Then a repetition decides nothing where all that
    arrives of an instant of a key is known and stays in its order, and nothing is written of it.
    """
    with warehouse.transaction():
        save_batches(warehouse, batches)
        return merge_events(EntityTables(warehouse, entity), events, in_order=in_order)


def merge_events(
    tables: EntityTables, events: str, *, in_order: bool = False, is_one_read: bool = False
) -> MergeResult:
    """`merge`, for events of batches that are saved already. `is_one_read`: all are known to be observed at one instant."""
    done = MergeResult()
    with tables.warehouse.transaction():
        for part in split_reads(tables.warehouse, events) if in_order and not is_one_read else [events]:
            done += _merge_part(tables, part, in_order=in_order)
    return done


def _merge_part(tables: EntityTables, events: str, *, in_order: bool) -> MergeResult:
    with tables.warehouse.staging():
        incoming = dedupe_events(tables, events, in_order=in_order)
        if not incoming.has_changes:
            return MergeResult()
        written = recompute(tables, incoming)
    return MergeResult(events=incoming.events, inserted=written.inserted, deleted=written.deleted)


def save_batches(warehouse: Warehouse, batches: Sequence[Provenance]) -> None:
    """Keep in `meta.batch` where batches come from; nothing is written for those that are there."""
    if not batches:
        return
    ref = warehouse.ref("meta", BATCHES.name)
    ids = ", ".join(quote_literal(batch.batch_id) for batch in batches)
    known = {row[0] for row in warehouse.rows(f"SELECT batch_id FROM {ref} WHERE batch_id IN ({ids})")}
    fresh = {batch.batch_id: batch for batch in batches if batch.batch_id not in known}
    if fresh:
        rows = ", ".join(_row_sql(batch) for batch in fresh.values())
        warehouse.append("meta", BATCHES.name, BATCHES.names, f"SELECT * FROM (VALUES {rows}) AS fresh")


def _row_sql(batch: Provenance) -> str:
    texts = (batch.batch_id, batch.connection, batch.resource, batch.source)
    read_at = format_instant(batch.read_at).removesuffix("Z").replace("T", " ")
    return f"({', '.join(map(quote_literal, texts))}, TIMESTAMP {quote_literal(read_at)})"
