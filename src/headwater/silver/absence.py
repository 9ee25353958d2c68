"""What a complete read proves: things that it does not show are gone, and things that it shows are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlglot
from sqlglot import exp

from headwater.clock import micros
from headwater.errors import WarehouseError
from headwater.model.entity import Entity
from headwater.names import literal, quote
from headwater.silver.intake import Verdict
from headwater.silver.merge import merge, note_batches
from headwater.silver.merged import Finding, Merged
from headwater.silver.observe import cast, concluded, key_of, observed, records
from headwater.silver.reading import Arrival, Reading
from headwater.temporal.fold import order_sql
from headwater.temporal.text import listed
from headwater.warehouse.base import Warehouse
from headwater.warehouse.lake_reader import LakeReader

GUARDED_FROM = 10
"""The guard counts from so many known things on, unless the resource declares it."""

USUAL_DROP = 0.2
"""The largest share of known things that a complete read may find absent where nothing is declared."""

READMITTED = ".retry-"
"""What the names of the files hold that a batch got when its refused records were readmitted."""

_NAMED = 10
"""So many keys are named in a finding."""

_STAGED = ("silver__present", "silver__words", "silver__gone", "silver__back", "silver__live", "silver__concluded")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteRead:
    """A complete read of a source of an entity, and the records that were asked for by id because of it."""

    warehouse: Warehouse
    lake: LakeReader
    entity: Entity
    reading: Reading
    arrival: Arrival
    verified: Sequence[Arrival] = ()
    only: str = ""
    """A staged relation of the keys that are looked at; empty for all."""

    @property
    def live(self) -> Sequence[Arrival]:
        """The batches that hold whole records of what is there."""
        return (self.arrival, *self.verified) if self.arrival.batch.purpose == "snapshot" else self.verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a complete read says, staged."""

    words: str
    """The last word of the source about each key as of the read: `entity_key`, `operation`, `place`."""
    present: str
    gone: str
    """Keys that the source shows and the read does not."""
    known: int
    absent: int
    doubt: str
    """Why nothing can be concluded to be gone; empty when it can."""


def conclude(read: CompleteRead, *, verdict: Verdict | None = None, allow_drop: bool = False) -> tuple[Merged, Verdict]:
    """Merge what a complete read proves. What it shows is there, whatever becomes of what it does not show.

    `verdict`: what was concluded before, where the read is taken again; then nothing is decided anew.
    """
    note_batches(read.warehouse, [read.arrival.provenance])
    proof = prove(read)
    done, findings = Merged(), []
    reached = verdict if verdict is not None else decide(read, proof, allow_drop=allow_drop)
    selects = [*_presences(read, proof)]
    if reached == "believed":
        selects.append(concluded(read.entity, read.arrival, "A", proof.gone))
    if verdict is None:
        findings = [*explain(read, proof, reached)]
    for select in selects:
        staged = read.warehouse.stage("silver__concluded", select)
        done += merge(read.warehouse, read.entity, staged, in_order=True)
    for name in _STAGED:
        read.warehouse.unstage(name)
    waiting = (read.arrival.batch.id,) if reached == "waiting" and verdict is None else ()
    return done + Merged(findings=tuple(findings), waiting=waiting), reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The keys about which a complete read and history disagree."""

    missing: tuple[str, ...]
    """Keys that the source showed until now, and the read does not; none where no absence would follow."""
    unread: tuple[str, ...]
    """Keys that the read shows, and of which history has never seen a record."""
    control: str
    """A key that both know, empty where there is none."""


def seek(read: CompleteRead) -> Sought:
    """The keys about which a complete read and history disagree. Changes nothing."""
    warehouse, log = read.warehouse, read.warehouse.ref("silver", f"{read.entity.entity}_log")
    proof = prove(read)
    in_log = f"EXISTS (SELECT 1 FROM {log} AS l WHERE l.entity_key = p.entity_key)"
    shown = f"SELECT DISTINCT p.entity_key FROM {proof.present} AS p WHERE p.entity_key IS NOT NULL AND"
    believed = read.reading.absences and not proof.doubt
    missing = warehouse.rows(f"SELECT entity_key FROM {proof.gone} ORDER BY entity_key") if believed else []
    unread = warehouse.rows(f"{shown} NOT {in_log} ORDER BY p.entity_key")
    control = warehouse.rows(f"{shown} {in_log} LIMIT 1")
    for name in _STAGED:
        warehouse.unstage(name)
    return Sought(
        missing=tuple(str(row[0]) for row in missing),
        unread=tuple(str(row[0]) for row in unread),
        control=str(control[0][0]) if control else "",
    )


def prove(read: CompleteRead) -> Proof:
    """Hold a complete read against what its source has shown so far."""
    warehouse = read.warehouse
    doubt = "the read is not proved complete" if read.arrival.proved is False else ""
    selects, unreadable = _shown(read)
    present = read.lake.stage("silver__present", selects)
    if not doubt and (unreadable or warehouse.rows(f"SELECT 1 FROM {present} WHERE entity_key IS NULL LIMIT 1")):
        doubt = unreadable or "a record has no readable key"
    words = warehouse.stage("silver__words", _last_words(read))
    shows = f"SELECT w.entity_key FROM {words} AS w WHERE w.operation IN ('U', 'P')"
    gone = warehouse.stage(
        "silver__gone",
        f"{shows} AND NOT EXISTS (SELECT 1 FROM {present} AS p WHERE p.entity_key = w.entity_key)",
    )
    known = warehouse.rows(f"SELECT COUNT(*) FROM ({shows}) AS shows")[0][0]
    return Proof(words=words, present=present, gone=gone, known=known, absent=warehouse.count(gone), doubt=doubt)


def decide(read: CompleteRead, proof: Proof, *, allow_drop: bool) -> Verdict:
    """What becomes of the absences."""
    if not read.reading.absences:
        return ""
    if proof.doubt:
        return "doubted"
    declared = read.reading.max_drop
    guarded = declared is not None or proof.known >= GUARDED_FROM
    most = proof.known * (USUAL_DROP if declared is None else declared)
    return "waiting" if guarded and proof.absent > most and not allow_drop else "believed"


def explain(read: CompleteRead, proof: Proof, verdict: Verdict) -> list[Finding]:
    """What a person should know about the verdict."""
    batch = f"batch {read.arrival.batch.id} of {read.arrival.source}"
    if verdict == "doubted":
        return [Finding(finding="not swept", count=1, detail=f"{batch}: {proof.doubt}")]
    if verdict != "waiting":
        return []
    first = read.warehouse.rows(f"SELECT entity_key FROM {proof.gone} ORDER BY entity_key LIMIT {_NAMED}")
    named = ", ".join(str(row[0]) for row in first) + (", ..." if proof.absent > _NAMED else "")
    detail = (
        f"{batch} does not show {proof.absent} of {proof.known} known `{read.entity.entity}`: {named}; all else is in. "
        "Did the service really lose them (rights, filters)? then `headwater run --allow-drop`, or raise `max_drop`"
    )
    return [Finding(finding="deletes_waiting", count=proof.absent, detail=detail)]


def _last_words(read: CompleteRead) -> str:
    """What the source said last of each key, as of the read; a delete is everybody's word."""
    arrival, log = read.arrival, read.warehouse.ref("silver", f"{read.entity.entity}_log")
    until, begun = micros(arrival.batch.window.until), micros(arrival.read_at)
    prefix = f"{arrival.batch.feed.connection}:"
    only = f" AND entity_key IN (SELECT entity_key FROM {read.only})" if read.only else ""
    ranked = (
        f"SELECT entity_key, operation, place, ROW_NUMBER() OVER (PARTITION BY entity_key "
        f"ORDER BY {order_sql(direction='DESC')}) AS _n\nFROM {log}\n"
        f"WHERE (source = {literal(arrival.source)} OR operation = 'D') "
        f"AND SUBSTRING(entity_key, 1, {len(prefix)}) = {literal(prefix)}{only}\n"
        f"AND (sequence < {until} OR (sequence = {until} AND observed <= {begun}))"
    )
    return f"SELECT entity_key, operation, place FROM ({ranked}) AS ranked WHERE _n = 1"


def _presences(read: CompleteRead, proof: Proof) -> list[str]:
    """The events of what is there although the source's last word is that it is not."""
    if not read.reading.absences:
        return []
    warehouse, selects = read.warehouse, []
    there = f"EXISTS (SELECT 1 FROM {proof.present} AS p WHERE p.entity_key = w.entity_key)"
    gone = (
        f"SELECT w.entity_key, w.operation, w.place FROM {proof.words} AS w WHERE w.operation IN ('A', 'D') AND {there}"
    )
    back = warehouse.stage("silver__back", gone)
    if not warehouse.count(back):
        return []
    if events := [select for arrival in read.live if (select := _live_records(read, arrival))]:
        live = read.lake.stage("silver__live", events)
        selects.append(_restated(read, live, back))
    if read.arrival.batch.purpose == "sweep":
        # A record that left because it no longer fits is shown by a sweep all the same, and so is a flagged one.
        missed = f"(SELECT entity_key FROM {back} WHERE operation = 'A' AND place = -1) AS missed"
        selects.append(concluded(read.entity, read.arrival, "P", missed))
    return selects


def _live_records(read: CompleteRead, arrival: Arrival) -> str:
    """The events of a batch's records; empty where it has none."""
    if not arrival.files:
        return ""
    taken = ", ".join(f"{value} AS {quote(name)}" for name, value in read.reading.columns.items())
    return observed(read.entity, read.reading, arrival, read.lake.types(f"SELECT {taken} FROM {records(arrival)}"))


def _restated(read: CompleteRead, live: str, back: str) -> str:
    """Live records of what was gone, as of the read: their own stamps are older than its end."""
    until = micros(read.arrival.batch.window.until)
    names = (*("operation", "source", *read.entity.columns, "known", "hash", "stamp", "observed", "place", "batch_id"),)
    order = "sequence DESC, observed DESC, place DESC"
    # A record that was asked for by id counts at its own stamp where a delete closed the thing; a snapshot says more.
    absent = "" if read.arrival.batch.purpose == "snapshot" else " AND b.operation = 'A'"
    last = f"SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY {order}) AS _n FROM {live}"
    return (
        f"SELECT l.entity_key, CAST({until} AS BIGINT) AS sequence, {listed(names, 'l')}\nFROM ({last}) AS l "
        f"JOIN {back} AS b ON b.entity_key = l.entity_key\n"
        f"WHERE l._n = 1 AND l.operation = 'U' AND l.sequence < {until}{absent}"
    )


def _shown(read: CompleteRead) -> tuple[list[str], str]:
    """SELECTs of the keys that the read shows, with refused records and those asked for by id; why some are unreadable."""
    entity, reading, arrival = read.entity, read.reading, read.arrival
    selects, doubt = ["SELECT CAST('' AS VARCHAR) AS entity_key WHERE FALSE"], ""
    for one in (arrival, *read.verified):
        if one.files:
            try:
                selects.append(_shown_sql(read, one))
            except WarehouseError:
                doubt = "its records do not hold what the key is made of"
        if one.refused and not one.refused_file:
            doubt = f"nobody kept the keys of {one.refused} refused records"
        elif one.refused_file:
            made = _are_keys_there(entity, reading)
            left = "" if not one.files else f" AND _line NOT IN (SELECT _line FROM {records(one)})"
            kept = f"read_parquet([{literal(one.refused_file)}], union_by_name = true)"
            waiting = f"(SELECT * FROM {kept} WHERE TRUE{left}) AS refused"
            if read.lake.rows(f"SELECT 1 FROM {waiting} WHERE NOT ({made}) LIMIT 1"):
                doubt = "a refused record has no readable key"
            selects.append(_keys_sql(read, one, waiting))
    return selects, doubt


def _shown_sql(read: CompleteRead, arrival: Arrival) -> str:
    """The keys that a batch shows: a snapshot's last record of a key says whether the thing is there."""
    reading = read.reading
    if arrival.batch.purpose != "snapshot" or not (reading.where or reading.deleted):
        return _keys_sql(read, arrival, records(arrival))
    order = "sequence DESC, place DESC"
    ranked = f"SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY {order}) AS _n FROM ({_live_records(read, arrival)})"
    return f"SELECT entity_key FROM ({ranked}) AS r WHERE entity_key IS NULL OR (_n = 1 AND operation = 'U')"


def keys_shown(read: CompleteRead) -> list[str]:
    """SELECTs of the keys of a batch's records: of those that were readmitted since it was taken, where some were."""
    files = [file for file in read.arrival.files if READMITTED in file] or list(read.arrival.files)
    arrival = replace(read.arrival, files=tuple(files))
    return [_keys_sql(read, arrival, records(arrival))] if files else []


def _keys_sql(read: CompleteRead, arrival: Arrival, relation: str) -> str:
    entity, reading = read.entity, read.reading
    taken = ", ".join(f"{reading.columns[name]} AS {quote(name)}" for name in entity.key)
    stored = read.lake.types(f"SELECT {taken} FROM {relation}")
    values = {name: cast(reading.columns[name], entity.columns[name].type, stored[name]) for name in entity.key}
    return f"SELECT {key_of(entity, arrival, values)} AS entity_key FROM {relation}"


def _are_keys_there(entity: Entity, reading: Reading) -> str:
    """Whether all that a key is made of could be typed (SQL): what could not is NULL, and NULL may still make a key."""
    made_of = {
        column.name
        for name in entity.key
        for column in sqlglot.parse_one(reading.columns[name], read="duckdb").find_all(exp.Column)
    }
    return " AND ".join(f"{quote(name)} IS NOT NULL" for name in sorted(made_of)) or "TRUE"
