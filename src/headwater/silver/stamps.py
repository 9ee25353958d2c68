"""Findings about change stamps: records that have none, that say they are from the future, and whose stamp went back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headwater.clock import format_instant, from_micros, to_micros
from headwater.events import Finding
from headwater.names import quote_literal
from headwater.silver.entity_tables import EntityTables
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.silver.merge.stats import EventStats
from headwater.temporal.keys import hash60_sql
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Warehouse

_BEGIN, _END = -(2**62), 2**62
"""Before and after all instants that a stamp can say, in microseconds."""


def find_stamps(tables: EntityTables, staged: str, stamping: Sequence[LandedBatch]) -> list[Finding]:
    """Staged events of batches whose source promises a stamp, and that have none that can be believed.

    The read's own instant stands for it, or the end of its window where there is none at all.
    """
    if not stamping:
        return []
    ids = ", ".join(quote_literal(landed.batch.id) for landed in stamping)
    among = f"FROM {staged} WHERE _unstamped AND batch_id IN ({ids})"
    counts = tables.warehouse.rows(
        f"SELECT batch_id, COUNT(*), COUNT(stamp), MAX(stamp) {among} GROUP BY batch_id ORDER BY batch_id"
    )
    findings, table = [], tables.shown
    for batch, both, future, stamp in counts:
        if both > future:
            detail = f"batch {batch}"
            findings.append(Finding(table=table, finding="missing_stamp", count=both - future, detail=detail))
        if future:
            own = f"batch_id = {quote_literal(batch)} AND stamp = {stamp}"
            key = tables.warehouse.rows(f"SELECT MIN(entity_key) {among} AND {own}")[0][0]
            instant = format_instant(from_micros(stamp))
            detail = f"batch {batch}: {key} says {instant}; such records count as of their read"
            findings.append(Finding(table=table, finding="future_stamp", count=future, detail=detail))
    return findings


_EVENT = ("entity_key", "source", "sequence", "operation", "hash", "stamp", "observed", "place", "batch_id")


def find_going_back(
    tables: EntityTables,
    staged: str,
    batches: Sequence[LandedBatch],
    mappings: Mapping[str, SourceMapping],
    stats: EventStats,
) -> list[Finding]:
    """Things whose newest read shows them otherwise, and as of earlier, than a read before it did.

    History keeps what the later stamp says, and the service says something else: a person must know. Only a read that
    would have shown the later stamp, had it still been there, tells that: a window of old changes fills in the past, and a
    feed that gives several versions of a thing gives the newest as well. What a snapshot closes or opens again counts as
    of the read, whatever its stamp.
    """
    reads = [one for one in batches if mappings[one.source].changed_at and one.batch.purpose != "sweep"]
    if not reads:
        return []
    warehouse, select = tables.warehouse, _passed_sql(tables, staged, stats)
    if warehouse.is_small("silver", tables.log.name) and not warehouse.rows(f"SELECT 1 FROM ({select}) AS p LIMIT 1"):
        return []
    with warehouse.staging():
        passed = warehouse.stage("silver__passed", select)
        if not warehouse.count(passed):
            return []
        hashes = f"SELECT key_hash FROM {passed}"
        known = tables.select_events("silver__passed_log", hashes=hashes, columns=(*_EVENT, "key_hash")).relation
        back = _stage_back(warehouse, staged, passed, known, _spans_sql(reads, mappings))
        counts = warehouse.rows(f"SELECT batch_id, COUNT(*), MIN(entity_key) FROM {back} GROUP BY batch_id ORDER BY 1")
        return [_build_backdated_finding(tables, back, row) for row in counts]


def _passed_sql(tables: EntityTables, staged: str, stats: EventStats) -> str:
    """Keys of which a read says something as of before what is known of them, or another read says."""
    keys = (
        f"SELECT entity_key, source, {hash60_sql('entity_key')} AS key_hash, MIN(sequence) AS first "
        f"FROM {staged} WHERE entity_key IS NOT NULL GROUP BY entity_key, source"
    )
    later = (
        f"SELECT DISTINCT a.entity_key, a.key_hash FROM ({keys}) AS a JOIN {tables.log_ref} AS l ON l.key_hash = a.key_hash\n"
        f"  AND l.source = a.source AND l.sequence > a.first WHERE l.sequence > {stats.first} AND l.place >= 0"
    )
    if stats.is_one_read:
        return later
    twice = "HAVING MIN(observed) < MAX(observed) AND MIN(sequence) < MAX(sequence)"
    return f"{later}\nUNION SELECT entity_key, key_hash FROM ({keys} {twice}) AS t"


def _stage_back(warehouse: Warehouse, staged: str, passed: str, known: str, spans: str) -> str:
    """Stage what the newest read of each key shows (`_was`: the later stamp), where that went back."""
    among = f"entity_key IN (SELECT entity_key FROM {passed})"
    per_key = "ROW_NUMBER() OVER (PARTITION BY entity_key, source ORDER BY {order}) AS _n"
    newest = per_key.format(order="observed DESC, sequence DESC, place DESC")
    names = column_list_sql(_EVENT)
    last = warehouse.stage(
        "silver__last_read",
        f"SELECT {names} FROM (SELECT {names}, {newest} FROM {staged} WHERE {among}) AS ranked WHERE _n = 1",
    )
    events = f"SELECT {names} FROM {known} WHERE place >= 0 AND {among}\nUNION ALL SELECT {names} FROM {staged} WHERE {among}"
    latest = per_key.format(order="sequence DESC, observed DESC, place DESC")
    before = warehouse.stage(
        "silver__before_it",
        f"SELECT {names} FROM (SELECT {names}, {latest} FROM ({events}) AS said) AS ranked WHERE _n = 1",
    )
    return warehouse.stage(
        "silver__went_back",
        f"SELECT l.entity_key, l.batch_id, l.stamp, k.sequence AS _was FROM {last} AS l JOIN {before} AS k "
        "ON k.entity_key = l.entity_key AND k.source = l.source\n"
        "WHERE l.sequence < k.sequence AND l.hash <> k.hash AND l.observed > k.observed\n"
        f"AND EXISTS (SELECT 1 FROM (VALUES {spans}) AS w(batch_id, source, prefix, since, until, read_at, closes)\n"
        "  WHERE (w.batch_id = l.batch_id AND (k.sequence < w.until OR k.stamp IS NULL OR k.stamp <> k.sequence)\n"
        "    AND (w.closes = 0 OR (l.operation = 'U' AND k.operation = 'U')))\n"
        "  OR (w.source = l.source AND SUBSTRING(l.entity_key, 1, LENGTH(w.prefix)) = w.prefix\n"
        "    AND w.read_at > k.observed AND k.sequence >= w.since AND k.sequence < w.until))",
    )


def _spans_sql(reads: Sequence[LandedBatch], mappings: Mapping[str, SourceMapping]) -> str:
    """What each read would have shown of its source, as rows: all there is, or the changes of a window."""
    rows = []
    for one in reads:
        window, whole = one.batch.window, one.batch.purpose != "changes"
        since = _BEGIN if whole or window.is_unbounded else to_micros(window.since)
        # Records that were asked for by id are all of the things that they are about, and of no others.
        source = "" if whole else one.source
        texts = (one.batch.id, source, f"{one.batch.feed.connection}:")
        closes = one.batch.purpose == "snapshot" and mappings[one.source].has_deletes
        numbers = (since, _END if whole else to_micros(window.until), to_micros(one.read_at), int(closes))
        spelled = (*map(quote_literal, texts), *(f"CAST({number} AS BIGINT)" for number in numbers))
        rows.append(f"({', '.join(spelled)})")
    return ", ".join(rows)


def _build_backdated_finding(tables: EntityTables, back: str, counted: tuple[Any, ...]) -> Finding:
    batch, count, key = counted
    where = f"batch_id = {quote_literal(batch)} AND entity_key = {quote_literal(key)}"
    stamp, was = tables.warehouse.rows(f"SELECT stamp, _was FROM {back} WHERE {where}")[0]
    before, now = _format_instant(was), _format_instant(stamp)
    change = f"batch {batch}: {key} was said to be from {before}, and is now from {now}, otherwise"
    detail = f"{change}; what has the later stamp stays"
    return Finding(table=tables.shown, finding="stamp_went_back", count=count, detail=detail)


def _format_instant(instant: int | None) -> str:
    return "no instant" if instant is None else format_instant(from_micros(instant))
