"""From landed batches to history: reads records as events, drops what says nothing new, merges, and finds deletes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from headwater.clock import iso
from headwater.errors import GuardError
from headwater.model.entity import Entity
from headwater.names import literal, quote
from headwater.silver.absence import absences
from headwater.silver.merge import merge, note_batches
from headwater.silver.merged import Finding, Merged
from headwater.silver.observe import cast, may_not_fit, observed, records
from headwater.silver.reading import Arrival, Reading
from headwater.silver.ready import ready
from headwater.silver.redeclared import Redeclared
from headwater.temporal.text import differs, knows, listed
from headwater.warehouse.base import Warehouse
from headwater.warehouse.lake_reader import LakeReader

EVENTS = "silver__events"
"""The temporary table in which the events of some batches meet."""

_ORDER = {"changes": 0, "snapshot": 1, "sweep": 2}


def conform(
    warehouse: Warehouse,
    entity: Entity,
    readings: Mapping[str, Reading],
    arrivals: Iterable[Arrival],
    *,
    allow_drop: bool = False,
) -> Merged:
    """Bring landed batches into the history of `entity`; tables are made ready first.

    Batches are taken in the order of their instants: changes together, each complete read by itself, and each such
    group is one transaction. A batch that was taken before writes nothing. GuardError when a complete read finds more
    absent than its reading's `max_drop`, unless `allow_drop`; all other batches are taken all the same, before it is
    raised.
    """
    made = ready(warehouse, entity)
    entity = made.entity
    ordered = sorted(arrivals, key=lambda one: (one.batch.window.until, _ORDER[one.batch.purpose], one.batch.id))
    done, stopped = Merged(findings=tuple(_turns(entity, made.change))), []
    with LakeReader(warehouse) as lake:
        for _, group in itertools.groupby(ordered, key=lambda one: one.batch.id if one.complete else ""):
            try:
                done += _take_group(warehouse, lake, entity, readings, tuple(group), allow_drop=allow_drop)
            except GuardError as error:
                stopped.append(error)
    if stopped:
        raise stopped[0]
    return done


def _take_group(
    warehouse: Warehouse,
    lake: LakeReader,
    entity: Entity,
    readings: Mapping[str, Reading],
    arrivals: tuple[Arrival, ...],
    *,
    allow_drop: bool,
) -> Merged:
    """Merge batches of changes, or one complete read and what it finds absent: all or nothing."""
    first = arrivals[0]
    done = Merged()
    with warehouse.transaction():
        if first.batch.purpose != "sweep":
            done += _take(warehouse, lake, entity, readings, arrivals)
        if first.complete:
            done += absences(warehouse, lake, entity, readings[first.source], first, allow_drop=allow_drop)
    return done


def _take(
    warehouse: Warehouse,
    lake: LakeReader,
    entity: Entity,
    readings: Mapping[str, Reading],
    arrivals: Sequence[Arrival],
) -> Merged:
    """Merge the events of some batches."""
    findings: list[Finding] = []
    selects: list[str] = []
    for arrival in arrivals:
        reading = readings[arrival.source]
        if not arrival.files:
            continue
        if _superseded(warehouse, reading, arrival):
            findings.append(Finding(finding="superseded", count=1, detail=_superseded_text(arrival)))
            continue
        stored = _types(lake, reading, arrival)
        findings += _misfits(lake, entity, reading, arrival, stored)
        selects.append(observed(entity, reading, arrival, stored))
    batches = [arrival.provenance for arrival in arrivals]
    if not selects:
        note_batches(warehouse, batches)
        return Merged(findings=tuple(findings))
    staged = lake.stage(EVENTS, selects)
    findings += _keyless(warehouse, staged)
    findings += _unstamped(warehouse, staged, [one for one in arrivals if readings[one.source].changed_at])
    _drop_idle(warehouse, entity, staged)
    done = merge(warehouse, entity, staged, batches=batches)
    warehouse.unstage(EVENTS)
    return done + Merged(findings=tuple(findings))


def _types(lake: LakeReader, reading: Reading, arrival: Arrival) -> dict[str, str]:
    """The types that the expressions give over the records of a batch."""
    taken = ", ".join(f"{value} AS {quote(name)}" for name, value in reading.columns.items())
    return lake.types(f"SELECT {taken} FROM {records(arrival)}")


def _misfits(
    lake: LakeReader, entity: Entity, reading: Reading, arrival: Arrival, stored: Mapping[str, str]
) -> list[Finding]:
    """Values that are not of the declared type: NULL in the event, and said so."""
    doubtful = [name for name in reading.columns if may_not_fit(entity.columns[name].type, stored[name])]
    if not doubtful:
        return []
    counts = ", ".join(
        f"COUNT(*) FILTER (WHERE {reading.columns[name]} IS NOT NULL "
        f"AND {cast(reading.columns[name], entity.columns[name].type, stored[name])} IS NULL)"
        for name in doubtful
    )
    where = f" WHERE {reading.where}" if reading.where else ""
    found = lake.rows(f"SELECT {counts} FROM {records(arrival)}{where}")[0]
    return [
        Finding(
            finding="does not fit",
            count=count,
            detail=f"{entity.entity}.{name} is {entity.columns[name].type}; batch {arrival.batch.id} of {arrival.source}",
        )
        for name, count in zip(doubtful, found, strict=True)
        if count
    ]


def _keyless(warehouse: Warehouse, staged: str) -> list[Finding]:
    """Records without a key: they cannot be anybody's history."""
    found = warehouse.rows(
        f"SELECT batch_id, COUNT(*) FROM {staged} WHERE entity_key IS NULL GROUP BY batch_id ORDER BY batch_id"
    )
    if found:
        warehouse.stage(EVENTS, f"SELECT * FROM {staged} WHERE entity_key IS NOT NULL")
    return [Finding(finding="no key", count=count, detail=f"batch {batch}") for batch, count in found]


def _unstamped(warehouse: Warehouse, staged: str, stamping: Sequence[Arrival]) -> list[Finding]:
    """Records without a change stamp, where the source promises one: the read's own instant stands for it."""
    if not stamping:
        return []
    ids = ", ".join(literal(arrival.batch.id) for arrival in stamping)
    found = warehouse.rows(
        f"SELECT batch_id, COUNT(*) FROM {staged} WHERE _unstamped AND batch_id IN ({ids}) "
        "GROUP BY batch_id ORDER BY batch_id"
    )
    return [Finding(finding="no change stamp", count=count, detail=f"batch {batch}") for batch, count in found]


def _drop_idle(warehouse: Warehouse, entity: Entity, staged: str) -> None:
    """Drop unstamped events that repeat what is known: reading a collection once more is not news about its things."""
    if not warehouse.rows(f"SELECT 1 FROM {staged} WHERE _unstamped LIMIT 1"):
        return
    versions = warehouse.ref("silver", entity.entity)
    news = " OR ".join(
        f"({knows(name, 'e')} AND {differs(f'e.{quote(name)}', f'v.{quote(name)}')})" for name in entity.columns
    )
    living = warehouse.stage(
        "silver__living",
        f"SELECT entity_key, {listed(entity.columns)}, EPOCH_US(valid_from) AS _since FROM {versions} "
        f"WHERE is_current AND entity_key IN (SELECT entity_key FROM {staged} WHERE _unstamped)",
    )
    repeats = f"e.operation = 'U' AND v.entity_key IS NOT NULL AND v._since <= e.sequence AND NOT ({news})"
    warehouse.stage(
        EVENTS,
        f"SELECT e.* FROM {staged} AS e LEFT JOIN {living} AS v ON v.entity_key = e.entity_key\n"
        f"WHERE NOT (e._unstamped AND (({repeats}) OR (e.operation = 'D' AND v.entity_key IS NULL)))",
    )
    warehouse.unstage("silver__living")


def _superseded(warehouse: Warehouse, reading: Reading, arrival: Arrival) -> bool:
    """Whether a newer complete read without stamps was merged: what that one repeated, it did not write down."""
    if reading.changed_at or not arrival.complete:
        return False
    feed, until = arrival.batch.feed, iso(arrival.read_at).removesuffix("Z")
    return bool(
        warehouse.rows(
            f"SELECT 1 FROM {warehouse.ref('meta', 'batch')} WHERE connection = {literal(feed.connection)} "
            f"AND resource = {literal(feed.resource)} AND read_at > TIMESTAMP {literal(until)} "
            "AND batch_id LIKE '%-snapshot-%' LIMIT 1"
        )
    )


def _turns(entity: Entity, change: Redeclared) -> Iterator[Finding]:
    """What begins, ends or is called otherwise from now on."""
    name, rebuild = entity.entity, f"`headwater rebuild --entity {entity.entity}`"
    for column in change.added:
        yield Finding(finding="begins now", count=1, detail=f"{name}.{column} is new; {rebuild} brings in its past")
    for column in change.removed:
        kept = f"{name}.{column} keeps its last values, and nobody tells of it any more; {rebuild} takes it away"
        yield Finding(finding="ends now", count=1, detail=kept)
    for column, before in change.renamed.items():
        yield Finding(finding="renamed", count=1, detail=f"{name}.{column} was {before}; its history goes on")


def _superseded_text(arrival: Arrival) -> str:
    return f"batch {arrival.batch.id} of {arrival.source}: a newer complete read is in; `headwater rebuild` takes it in"
