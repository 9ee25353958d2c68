"""Detects deletes and presences: keys missing from a complete read, and keys that it shows."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.events import Finding
from headwater.names import quote_literal
from headwater.silver.complete_read import CompleteRead, before_end_condition, select_shown_keys
from headwater.silver.consumed_batches import DeleteVerdict
from headwater.silver.events import select_presence_events
from headwater.silver.merge.merge import merge_events, save_batches
from headwater.silver.merge.result import MergeResult
from headwater.silver.presences import select_presences
from headwater.temporal.fold import order_sql
from headwater.warehouse.dialect.text import read_counts

GUARDED_FROM = 10
"""The guard counts from so many known things on, unless the resource declares it."""

USUAL_DROP = 0.2
"""The largest share of known things that a complete read may find absent where nothing is declared."""

_NAMED = 10
"""So many keys are named in a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDiff:
    """What a complete read says, staged."""

    last_events: str
    """The last word of the source about each key as of the read: `entity_key`, `operation`."""
    present: str
    missing: str
    """Keys that the source shows and the read does not."""
    known: int
    absent: int
    returning: int
    """How many keys the read shows whose last word is no update."""
    doubt: str
    """Why nothing can be concluded to be gone; empty when it can."""


def apply_complete_read(
    read: CompleteRead, *, verdict: DeleteVerdict | None = None, allow_drop: bool = False
) -> tuple[MergeResult, DeleteVerdict]:
    """Merge what a complete read proves. What it shows is there, whatever becomes of what it does not show.

    `verdict`: what was concluded before, where the read is taken again; then nothing is decided anew.
    """
    save_batches(read.warehouse, [read.landed.provenance])
    with read.warehouse.staging():
        proof = diff_read(read)
        reached = verdict if verdict is not None else decide_deletes(read, proof, allow_drop=allow_drop)
        selects = select_presences(read, words=proof.last_events, present=proof.present, returning=proof.returning)
        if reached == "believed" and proof.absent:
            selects.append(select_presence_events(read.entity, read.landed, "A", proof.missing))
        findings = explain_verdict(read, proof, reached) if verdict is None else []
        done = MergeResult()
        for select in selects:
            staged = read.warehouse.stage("silver__concluded", select)
            done += merge_events(read.tables, staged, in_order=True, is_one_read=True)
    waiting = (read.landed.batch.id,) if reached == "waiting" and verdict is None else ()
    return done + MergeResult(findings=tuple(findings), waiting=waiting), reached


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMismatch:
    """The keys about which a complete read and history disagree."""

    missing: tuple[str, ...]
    """Keys that the source showed until now, and the read does not; none where no absence would follow."""
    unread: tuple[str, ...]
    """Keys that the read shows, and of which history has never seen a record."""
    control: str
    """A key that both know; empty where there is none, or where they do not disagree."""


def find_key_mismatch(read: CompleteRead) -> KeyMismatch:
    """Find the keys about which a complete read and history disagree, without changing anything."""
    warehouse, log = read.warehouse, read.tables.log_ref
    in_log = f"EXISTS (SELECT 1 FROM {log} AS l WHERE l.entity_key = p.entity_key)"
    with warehouse.staging():
        proof = diff_read(read)
        shown = f"SELECT DISTINCT p.entity_key FROM {proof.present} AS p WHERE p.entity_key IS NOT NULL AND"
        believed = read.mapping.has_deletes and not proof.doubt
        missing = []
        if believed and proof.absent:
            missing = warehouse.rows(f"SELECT entity_key FROM {proof.missing} ORDER BY entity_key")
        unread = warehouse.rows(f"{shown} NOT {in_log} ORDER BY p.entity_key")
        control = warehouse.rows(f"{shown} {in_log} LIMIT 1") if missing or unread else []
    return KeyMismatch(
        missing=tuple(str(row[0]) for row in missing),
        unread=tuple(str(row[0]) for row in unread),
        control=str(control[0][0]) if control else "",
    )


def diff_read(read: CompleteRead) -> ReadDiff:
    """Compare a complete read with the keys that its source has shown so far."""
    warehouse = read.warehouse
    doubt = "the read is not proved complete" if read.landed.is_proved is False else ""
    selects, unreadable = select_shown_keys(read)
    present = read.lake.stage("silver__present", selects)
    words = warehouse.stage("silver__words", _select_last_events(read))
    shows = f"SELECT w.entity_key FROM {words} AS w WHERE w.operation IN ('U', 'P')"
    there = f"EXISTS (SELECT 1 FROM {present} AS p WHERE p.entity_key = w.entity_key)"
    missing, returning = f"{shows} AND NOT {there}", f"SELECT 1 FROM {words} AS w WHERE w.operation <> 'U' AND {there}"
    counts = (f"SELECT 1 FROM {present} WHERE entity_key IS NULL", shows, missing, returning)
    keyless, known, absent, back = read_counts(warehouse, counts)
    if not doubt and (unreadable or keyless):
        doubt = unreadable or "a record has no readable key"
    gone = f"(SELECT entity_key FROM {words} WHERE FALSE) AS gone"
    return ReadDiff(
        last_events=words,
        present=present,
        missing=warehouse.stage("silver__gone", missing) if absent else gone,
        known=known,
        absent=absent,
        returning=back,
        doubt=doubt,
    )


def decide_deletes(read: CompleteRead, proof: ReadDiff, *, allow_drop: bool) -> DeleteVerdict:
    """Decide whether missing keys become deletes."""
    if not read.mapping.has_deletes:
        return ""
    if proof.doubt:
        return "doubted"
    declared = read.mapping.max_drop
    guarded = declared is not None or proof.known >= GUARDED_FROM
    most = proof.known * (USUAL_DROP if declared is None else declared)
    return "waiting" if guarded and proof.absent > most and not allow_drop else "believed"


def explain_verdict(read: CompleteRead, proof: ReadDiff, verdict: DeleteVerdict) -> list[Finding]:
    """The findings for a verdict."""
    batch, table = f"batch {read.landed.batch.id} of {read.landed.source}", read.tables.shown
    if verdict == "doubted":
        return [Finding(table=table, finding="sweep_skipped", count=1, detail=f"{batch}: {proof.doubt}")]
    if verdict != "waiting":
        return []
    first = read.warehouse.rows(f"SELECT entity_key FROM {proof.missing} ORDER BY entity_key LIMIT {_NAMED}")
    named = ", ".join(str(row[0]) for row in first) + (", ..." if proof.absent > _NAMED else "")
    detail = (
        f"{batch} does not show {proof.absent} of {proof.known} known `{read.entity.entity}`: {named}; all else is in. "
        "Did the service really lose them (rights, filters)? then `headwater run --allow-drop`, or raise `max_drop`"
    )
    return [Finding(table=table, finding="deletes_waiting", count=proof.absent, detail=detail)]


def _select_last_events(read: CompleteRead) -> str:
    """What the source said last of each key, as of the read; a delete is everybody's word."""
    landed, log = read.landed, read.tables.log_ref
    prefix = f"{landed.batch.feed.connection}:"
    only = f" AND entity_key IN (SELECT entity_key FROM {read.only})" if read.only else ""
    ranked = (
        f"SELECT entity_key, operation, ROW_NUMBER() OVER (PARTITION BY entity_key "
        f"ORDER BY {order_sql(direction='DESC')}) AS _n\nFROM {log}\n"
        f"WHERE (source = {quote_literal(landed.source)} OR operation = 'D') "
        f"AND SUBSTRING(entity_key, 1, {len(prefix)}) = {quote_literal(prefix)}{only}\n"
        f"AND {before_end_condition(read)}"
    )
    return f"SELECT entity_key, operation FROM ({ranked}) AS ranked WHERE _n = 1"
