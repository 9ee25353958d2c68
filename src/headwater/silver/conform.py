"""From landed batches to history: reads records as events, drops what says nothing new, merges, and believes complete reads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headwater.clock import to_micros
from headwater.events import Finding, FindingKind
from headwater.model.entity import Entity
from headwater.names import quote
from headwater.silver.complete_read import CompleteRead
from headwater.silver.consumed_batches import (
    ConsumedBatch,
    DeleteVerdict,
    load_consumed,
    position_of,
    replace_waiting,
    save_consumed,
)
from headwater.silver.deletes import apply_complete_read
from headwater.silver.events import cast_sql, may_not_fit, records_relation, rounds_sql, select_events
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.silver.merge.merge import merge, save_batches
from headwater.silver.merge.repeats import drop_repeats, load_mark, needs_order, select_deciding, stage_overtaken
from headwater.silver.merge.replay import Replay, apply_replay, stage_affected_keys
from headwater.silver.merge.result import MergeResult
from headwater.silver.schema.diff import SchemaDiff
from headwater.silver.schema.migrate import migrate_tables
from headwater.silver.stamps import find_going_back, find_stamps
from headwater.warehouse.base import Warehouse
from headwater.warehouse.lake_reader import LakeReader

EVENTS = "silver__events"
"""The temporary table in which the events of some batches meet."""

LoadLanded = Callable[[], Sequence[LandedBatch]]
"""Gives every batch of an entity's sources that ever landed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformJob:
    """How batches are taken into the history of an entity."""

    warehouse: Warehouse
    lake: LakeReader
    entity: Entity
    mappings: Mapping[str, SourceMapping]
    allowed: Collection[str] = ()
    """Batches whose deletes a person has let through."""
    allow_drop: bool = False
    only: str = ""
    """A staged relation of the keys that are taken; empty for all."""
    load_landed: LoadLanded | None = None
    marks: dict[int, int] = field(default_factory=dict)
    """Until when repetitions had been left out, and since when events were observed then: what is older may make them news."""
    verdicts: Mapping[str, DeleteVerdict] = field(default_factory=dict)
    """What was concluded from complete reads that are taken again."""

    def record_mark(self, since: int) -> None:
        """Remember that events are taken that were since then."""
        mark = None if self.only else load_mark(self.warehouse, self.entity)
        if mark is not None:
            self.marks[mark] = min(since, self.marks.get(mark, since))

    def allows_drop(self, arrival: LandedBatch) -> bool:
        """Whether the deletes of a complete read are let through, however many they are."""
        return self.allow_drop or arrival.batch.id in self.allowed


def conform(
    warehouse: Warehouse,
    entity: Entity,
    mappings: Mapping[str, SourceMapping],
    arrivals: Iterable[LandedBatch],
    *,
    load_landed: LoadLanded | None = None,
    allowed: Collection[str] = (),
    allow_drop: bool = False,
) -> MergeResult:
    """Bring landed batches into the history of `entity`; tables are made ready first.

    Batches are taken in the order in which they were read: changes together, each complete read by itself, and each such
    group is one transaction. A batch that was taken before writes nothing. Where one comes later than others that were read
    after it (or with records that were readmitted), the keys that it is about are taken again from the `load_landed` batches that
    landed: history is what all batches say together, whatever the order in which they come.

    When a complete read finds more absent than its reading's `max_drop`, its deletes wait, unless `allow_drop` or it is
    among the `allowed`; all else is taken.
    """
    made = migrate_tables(warehouse, entity)
    ordered = sorted({one.batch.id: one for one in arrivals}.values(), key=position_of)
    known = load_consumed(warehouse, entity.entity)
    done = MergeResult(findings=tuple(_find_column_changes(made.entity, made.change)))
    with LakeReader(warehouse) as lake:
        work = ConformJob(
            warehouse=warehouse,
            lake=lake,
            entity=made.entity,
            mappings=mappings,
            allowed=allowed,
            allow_drop=allow_drop,
            load_landed=load_landed,
        )
        late, in_order = _split_late(ordered, known)
        done += take_in_order(work, in_order)
        for arrival in late:
            done += _take_late(work, arrival, load_landed)
        return done + _recheck_waiting(work, [one for one in ordered if one.batch.id in known], load_landed)


def take_in_order(work: ConformJob, ordered: Sequence[LandedBatch]) -> MergeResult:
    """Take batches that were read after all that are in, in the order in which they were read."""
    done = MergeResult()
    for _, group in itertools.groupby(ordered, key=lambda one: one.batch.id if one.is_complete else ""):
        done += _take_group(work, tuple(group), ordered)
    return done


def _split_late(
    ordered: Sequence[LandedBatch], known: Mapping[str, ConsumedBatch]
) -> tuple[list[LandedBatch], list[LandedBatch]]:
    """The batches that come late, or with more than when they were taken; and those that come in order."""
    newest = max((intake.position for intake in known.values()), default=None)
    late, in_order = [], []
    for arrival in ordered:
        before = known.get(arrival.batch.id)
        if before is not None:
            if before.files < len(arrival.files):
                late.append(arrival)
        elif newest is not None and position_of(arrival) < newest:
            late.append(arrival)
        else:
            in_order.append(arrival)
    return late, in_order


def _take_group(work: ConformJob, arrivals: tuple[LandedBatch, ...], all_of_them: Sequence[LandedBatch]) -> MergeResult:
    """Merge batches of changes, or one complete read and what it proves: all or nothing."""
    first, done = arrivals[0], MergeResult()
    verdict: DeleteVerdict = ""
    with work.warehouse.transaction():
        if first.batch.purpose != "sweep":
            done += _take(work, arrivals, whole=True)
        if first.is_complete:
            work.record_mark(to_micros(first.read_at))
            merged, verdict = apply_complete_read(
                _build_complete_read(work, first, all_of_them),
                verdict=work.verdicts.get(first.batch.id),
                allow_drop=work.allows_drop(first),
            )
            done += merged
        save_consumed(work.warehouse, work.entity.entity, [(arrival, verdict) for arrival in arrivals])
        return done + _take_overtaken(work, all_of_them)


def _take_overtaken(work: ConformJob, all_of_them: Sequence[LandedBatch]) -> MergeResult:
    """Take keys again for which a repetition was left out that may be news by now."""
    if not work.marks:
        return MergeResult()
    keys = stage_overtaken(work.warehouse, work.entity, work.marks, "silver__overtaken")
    work.marks.clear()
    if not work.warehouse.count(keys):
        return MergeResult()
    landed = work.load_landed() if work.load_landed else all_of_them
    return _replay_keys(work, keys, sorted(landed, key=position_of))


def _build_complete_read(work: ConformJob, arrival: LandedBatch, all_of_them: Iterable[LandedBatch]) -> CompleteRead:
    verified = [
        other
        for other in all_of_them
        if other.batch.purpose == "verify"
        and other.batch.feed == arrival.batch.feed
        and other.batch.window.until == arrival.batch.window.until
    ]
    return CompleteRead(
        warehouse=work.warehouse,
        lake=work.lake,
        entity=work.entity,
        mapping=work.mappings[arrival.source],
        arrival=arrival,
        verified=verified,
        only=work.only,
    )


def _take_late(work: ConformJob, arrival: LandedBatch, load_landed: LoadLanded | None) -> MergeResult:
    """Take a batch that was read before others that are in: what all of them say of its keys is worked out again."""
    if load_landed is None:
        msg = f"batch {arrival.batch.id} was read before batches that are already merged, and those are not available"
        raise AssertionError(msg)
    landed = sorted(load_landed(), key=position_of)
    with work.warehouse.transaction():
        save_batches(work.warehouse, [arrival.provenance])
        keys, verdict, done = stage_affected_keys(
            _build_complete_read(work, arrival, landed), allow_drop=work.allows_drop(arrival)
        )
        save_consumed(work.warehouse, work.entity.entity, [(arrival, verdict)])
        return done + _replay_keys(work, keys, landed)


def _replay_keys(work: ConformJob, keys: str, landed: Sequence[LandedBatch]) -> MergeResult:
    """Work out the history of some keys again, from every batch that the entity has taken."""
    known = load_consumed(work.warehouse, work.entity.entity)
    again = Replay(warehouse=work.warehouse, entity=work.entity, keys=keys)
    with again.scratch() as scratch, LakeReader(scratch.warehouse) as lake:
        inner = ConformJob(
            warehouse=scratch.warehouse,
            lake=lake,
            entity=work.entity,
            mappings=work.mappings,
            only=scratch.keys,
            verdicts={name: intake.verdict for name, intake in known.items()},
        )
        concerned = scratch.connections()
        take_in_order(
            inner, [one for one in landed if one.batch.id in known and one.batch.feed.connection in concerned]
        )
        told = scratch.warehouse.fetch_arrow(
            select_deciding(work.entity, scratch.warehouse.ref("silver", f"{work.entity.entity}_log"))
        )
        with again.scratch() as second:
            merge(second.warehouse, work.entity, second.warehouse.stage_arrow(EVENTS, told))
            return apply_replay(again, second)


def _recheck_waiting(work: ConformJob, ordered: Sequence[LandedBatch], load_landed: LoadLanded | None) -> MergeResult:
    """Look again at complete reads whose deletes wait; those of which a newer read is in wait no more."""
    known = load_consumed(work.warehouse, work.entity.entity)
    concluded = [intake for intake in known.values() if intake.verdict in ("believed", "waiting")]
    newest: dict[tuple[str, str], ConsumedBatch] = {}
    for intake in sorted(concluded, key=lambda one: one.position):
        newest[intake.connection, intake.resource] = intake
    waits = [intake for intake in concluded if intake.verdict == "waiting"]
    older = [one.batch_id for one in waits if newest[one.connection, one.resource] != one]
    replace_waiting(work.warehouse, work.entity.entity, older)
    done = MergeResult()
    for arrival in ordered:
        before = known.get(arrival.batch.id)
        if before is not None and before.verdict == "waiting" and before.batch_id not in older:
            done += _take_late(work, arrival, load_landed) if load_landed else MergeResult()
    return done


def _take(work: ConformJob, arrivals: Sequence[LandedBatch], *, whole: bool = False) -> MergeResult:
    """Merge the events of some batches. `whole`: they are all that is taken together."""
    findings: list[Finding] = []
    selects: list[str] = []
    for arrival in arrivals:
        if arrival.files:
            mapping = work.mappings[arrival.source]
            stored = _read_types(work.lake, mapping, arrival)
            findings += [] if work.only else _find_mismatches(work.lake, work.entity, mapping, arrival, stored)
            select = select_events(work.entity, mapping, arrival, stored)
            selects.append(
                f"SELECT * FROM ({select}) AS o WHERE entity_key IN (SELECT entity_key FROM {work.only})"
                if work.only
                else select
            )
    batches = [arrival.provenance for arrival in arrivals]
    save_batches(work.warehouse, batches)
    if not selects:
        return MergeResult(findings=tuple(findings))
    staged = work.lake.stage(EVENTS, selects)
    back: list[Finding] = []
    if whole and not work.only:
        back = find_going_back(work.warehouse, work.entity, staged, arrivals, work.mappings)
    if needs_order(work.warehouse, staged):
        if len(arrivals) > 1:
            return sum((_take(work, [arrival]) for arrival in arrivals), MergeResult(findings=tuple(back)))
        stamping = [one for one in arrivals if work.mappings[one.source].changed_at]
        findings += find_stamps(work.warehouse, work.entity, staged, stamping)
    findings += _drop_keyless(work.warehouse, work.entity, staged)
    work.record_mark(min(to_micros(arrival.read_at) for arrival in arrivals))
    if needs_order(work.warehouse, staged):
        drop_repeats(work.warehouse, work.entity, staged, EVENTS, whole=bool(work.only))
    done = merge(work.warehouse, work.entity, staged, in_order=True)
    work.warehouse.unstage(EVENTS)
    return done + MergeResult(findings=(*findings, *back))


def _read_types(lake: LakeReader, mapping: SourceMapping, arrival: LandedBatch) -> dict[str, str]:
    """The types that the expressions give over the records of a batch."""
    taken = ", ".join(f"{value} AS {quote(name)}" for name, value in mapping.columns.items())
    return lake.types(f"SELECT {taken} FROM {records_relation(arrival)}")


def _find_mismatches(
    lake: LakeReader, entity: Entity, mapping: SourceMapping, arrival: LandedBatch, stored: Mapping[str, str]
) -> list[Finding]:
    """Values that are not of the declared type: NULL in the event, or with fewer digits, and said so."""
    tests = list(_mismatch_conditions(entity, mapping, stored))
    if not tests:
        return []
    counts = ", ".join(f"COUNT(*) FILTER (WHERE {test})" for _, _, test in tests)
    where = f" WHERE {mapping.where}" if mapping.where else ""
    found = lake.rows(f"SELECT {counts} FROM {records_relation(arrival)}{where}")[0]
    return [
        Finding(
            table=f"silver.{entity.entity}",
            finding=finding,
            count=count,
            detail=f"{entity.entity}.{name} is {entity.columns[name].type}; batch {arrival.batch.id} of {arrival.source}",
        )
        for (finding, name, _), count in zip(tests, found, strict=True)
        if count
    ]


def _mismatch_conditions(
    entity: Entity, mapping: SourceMapping, stored: Mapping[str, str]
) -> Iterator[tuple[FindingKind, str, str]]:
    """What may be wrong with a value of a column: finding, column, condition in SQL."""
    for name, value in mapping.columns.items():
        dtype = entity.columns[name].type
        if may_not_fit(dtype, stored[name]):
            yield "type_mismatch", name, f"{value} IS NOT NULL AND {cast_sql(value, dtype, stored[name])} IS NULL"
            if rounds := rounds_sql(value, dtype, stored[name]):
                yield "precision_loss", name, rounds


def _drop_keyless(warehouse: Warehouse, entity: Entity, staged: str) -> list[Finding]:
    """Records without a key: they cannot be anybody's history."""
    found = warehouse.rows(
        f"SELECT batch_id, COUNT(*) FILTER (WHERE NOT _outside) FROM {staged} WHERE entity_key IS NULL GROUP BY batch_id "
        "ORDER BY batch_id"
    )
    if found:
        warehouse.stage(EVENTS, f"SELECT * FROM {staged} WHERE entity_key IS NOT NULL")
    return [
        Finding(table=f"silver.{entity.entity}", finding="missing_key", count=count, detail=f"batch {batch}")
        for batch, count in found
        if count
    ]


def _find_column_changes(entity: Entity, change: SchemaDiff) -> Iterator[Finding]:
    """The findings about columns that were added, retired or renamed."""
    name, rebuild = entity.entity, f"`headwater rebuild --entity {entity.entity}`"
    table = f"silver.{name}"
    for column in change.added:
        detail = f"{name}.{column} is new; {rebuild} brings in its past"
        yield Finding(table=table, finding="column_added", count=1, detail=detail)
    for column in change.removed:
        detail = f"{name}.{column} is no longer declared and keeps its last values; {rebuild} removes it"
        yield Finding(table=table, finding="column_retired", count=1, detail=detail)
    for column, before in change.renamed.items():
        detail = f"{name}.{column} was {before}; its history goes on"
        yield Finding(table=table, finding="column_renamed", count=1, detail=detail)
