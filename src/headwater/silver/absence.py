"""Deletes that nobody told of: things that a complete read does not show any more."""

from __future__ import annotations

from headwater.clock import iso, micros
from headwater.dtypes import DUCKDB, spelled
from headwater.errors import GuardError
from headwater.model.entity import Entity
from headwater.names import literal, quote
from headwater.silver.merge import merge, note_batches
from headwater.silver.merged import Finding, Merged
from headwater.silver.observe import cast, key_of, records
from headwater.silver.reading import Arrival, Reading
from headwater.temporal.canonical import event_hash
from headwater.temporal.text import known_list
from headwater.warehouse.base import Warehouse
from headwater.warehouse.lake_reader import LakeReader


def absences(
    warehouse: Warehouse,
    lake: LakeReader,
    entity: Entity,
    reading: Reading,
    arrival: Arrival,
    *,
    allow_drop: bool = False,
) -> Merged:
    """Merge an absence for each living thing of the feed that a complete read does not show.

    A thing that was seen at or after the read's instant is left alone, whatever the read shows. GuardError when more
    than the reading's `max_drop` would go, unless `allow_drop`. Without proof (a record without a readable key, a newer
    complete read already in) nothing is concluded, and a finding says so.
    """
    note_batches(warehouse, [arrival.provenance])
    doubt = _doubt(warehouse, arrival)
    present = lake.stage(
        "silver__present", [_present(entity, reading, arrival, _types(lake, entity, reading, arrival))]
    )
    if not doubt and warehouse.rows(f"SELECT 1 FROM {present} WHERE entity_key IS NULL LIMIT 1"):
        doubt = "a record has no readable key"
    if doubt:
        return Merged(findings=(Finding(finding="not swept", count=1, detail=f"batch {arrival.batch.id}: {doubt}"),))
    living = warehouse.stage("silver__living", _living(warehouse, entity, arrival))
    gone = warehouse.stage(
        "silver__gone", f"SELECT entity_key FROM {living} WHERE entity_key NOT IN (SELECT entity_key FROM {present})"
    )
    known, absent = (warehouse.count(name) for name in (living, gone))
    if absent > known * reading.max_drop and not allow_drop:
        raise _too_many(entity, reading, arrival, known=known, absent=absent)
    done = merge(warehouse, entity, warehouse.stage("silver__absent", _absent(entity, arrival, gone)))
    for name in ("silver__present", "silver__living", "silver__gone", "silver__absent"):
        warehouse.unstage(name)
    return done


def _doubt(warehouse: Warehouse, arrival: Arrival) -> str:
    """Why nothing can be concluded from this read; empty when it can."""
    if "" in arrival.spared:
        return "a refused record has no readable key"
    feed, until = arrival.batch.feed, iso(arrival.read_at).removesuffix("Z")
    newer = warehouse.rows(
        f"SELECT batch_id FROM {warehouse.ref('meta', 'batch')} WHERE connection = {literal(feed.connection)} "
        f"AND resource = {literal(feed.resource)} AND read_at > TIMESTAMP {literal(until)} "
        "AND (batch_id LIKE '%-snapshot-%' OR batch_id LIKE '%-sweep-%') ORDER BY batch_id LIMIT 1"
    )
    return f"a newer complete read is in ({newer[0][0]})" if newer else ""


def _types(lake: LakeReader, entity: Entity, reading: Reading, arrival: Arrival) -> dict[str, str]:
    """The types that the key's expressions give; a sweep holds nothing else."""
    if not arrival.files:
        return {}
    taken = ", ".join(f"{reading.columns[name]} AS {quote(name)}" for name in entity.key)
    return lake.types(f"SELECT {taken} FROM {records(arrival)}")


def _present(entity: Entity, reading: Reading, arrival: Arrival, stored: dict[str, str]) -> str:
    """Keys that the read shows. A sweep knows only keys, so the source's condition counts for snapshots only."""
    connection = arrival.batch.feed.connection
    spared = [f"SELECT {literal(f'{connection}:{key}')} AS entity_key" for key in arrival.spared]
    if not arrival.files:
        return " UNION ALL ".join(spared) or "SELECT CAST('' AS VARCHAR) AS entity_key WHERE FALSE"
    values = {name: cast(reading.columns[name], entity.columns[name].type, stored[name]) for name in entity.key}
    where = f" WHERE {reading.where}" if reading.where and arrival.batch.purpose == "snapshot" else ""
    shown = f"SELECT {key_of(entity, arrival, values)} AS entity_key FROM {records(arrival)}{where}"
    return " UNION ALL ".join([shown, *spared])


def _living(warehouse: Warehouse, entity: Entity, arrival: Arrival) -> str:
    """Living things that this feed told of, and that nobody told of since the read began."""
    feed, until = arrival.batch.feed, micros(arrival.batch.window.until)
    log, batch = warehouse.ref("silver", f"{entity.entity}_log"), warehouse.ref("meta", "batch")
    return (
        f"SELECT v.entity_key FROM {warehouse.ref('silver', entity.entity)} AS v WHERE v.is_current\n"
        f"AND v.entity_key IN (SELECT l.entity_key FROM {log} AS l JOIN {batch} AS b ON b.batch_id = l.batch_id\n"
        f"  WHERE b.connection = {literal(feed.connection)} AND b.resource = {literal(feed.resource)})\n"
        f"AND NOT EXISTS (SELECT 1 FROM {log} AS l WHERE l.entity_key = v.entity_key AND l.sequence >= {until})"
    )


def _absent(entity: Entity, arrival: Arrival, gone: str) -> str:
    nothing = ", ".join(
        f"CAST(NULL AS {spelled(column.type, DUCKDB)}) AS {quote(name)}" for name, column in entity.columns.items()
    )
    return (
        f"SELECT entity_key, CAST({micros(arrival.batch.window.until)} AS BIGINT) AS sequence, 'A' AS operation, "
        f"{literal(arrival.source)} AS source, {nothing}, "
        f"{literal(known_list(()))} AS known, {event_hash(literal('A'), {})} AS hash, CAST(NULL AS BIGINT) AS stamp, "
        f"CAST({micros(arrival.read_at)} AS BIGINT) AS observed, CAST(-1 AS BIGINT) AS place, "
        f"{literal(arrival.batch.id)} AS batch_id FROM {gone}"
    )


def _too_many(entity: Entity, reading: Reading, arrival: Arrival, *, known: int, absent: int) -> GuardError:
    return GuardError(
        f"a complete read of {arrival.source} would delete {absent} of {known} living `{entity.entity}`",
        where=f"{arrival.batch.feed}, batch {arrival.batch.id}",
        saw=f"{absent / known:.0%} absent; at most {reading.max_drop:.0%} may go unasked",
        hint="did the service really lose them (rights, filters)? then `headwater run --allow-drop`, or raise `max_drop`",
    )
