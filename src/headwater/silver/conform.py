"""From landed batches to history: reads records as events, drops what says nothing new, merges, and believes complete reads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headwater.clock import to_micros
from headwater.model.entity import Entity
from headwater.names import quote
from headwater.silver.complete_read import CompleteRead
from headwater.silver.consumed_batches import Intake, Verdict, intakes_of, note_intakes, position_of, replace_waiting
from headwater.silver.deletes import conclude
from headwater.silver.events import cast, may_not_fit, observed, records, rounds_sql
from headwater.silver.mapping import Arrival, Reading
from headwater.silver.merge.merge import merge, note_batches
from headwater.silver.merge.repeats import drop_repeated, mark_of, needs_order, select_telling, stage_overtaken
from headwater.silver.merge.replay import Retake, keys_concerned, retake
from headwater.silver.merge.result import Finding, Merged
from headwater.silver.schema.diff import Redeclared
from headwater.silver.schema.migrate import ready
from headwater.silver.stamps import find_going_back, find_stamps
from headwater.warehouse.base import Warehouse
from headwater.warehouse.lake_reader import LakeReader

EVENTS = "silver__events"
"""The temporary table in which the events of some batches meet."""

All = Callable[[], Sequence[Arrival]]
"""Gives every batch of an entity's sources that ever landed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conforming:
    """How batches are taken into the history of an entity."""

    warehouse: Warehouse
    lake: LakeReader
    entity: Entity
    readings: Mapping[str, Reading]
    allowed: Collection[str] = ()
    """Batches whose deletes a person has let through."""
    allow_drop: bool = False
    only: str = ""
    """A staged relation of the keys that are taken; empty for all."""
    everything: All | None = None
    marks: dict[int, int] = field(default_factory=dict)
    """Until when repetitions had been left out, and since when events were observed then: what is older may make them news."""
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """What was concluded from complete reads that are taken again."""

    def mark(self, observed: int) -> None:
        """Remember that events are taken that were observed then."""
        mark = None if self.only else mark_of(self.warehouse, self.entity)
        if mark is not None:
            self.marks[mark] = min(observed, self.marks.get(mark, observed))

    def allows(self, arrival: Arrival) -> bool:
        """Whether the deletes of a complete read are let through, however many they are."""
        return self.allow_drop or arrival.batch.id in self.allowed


def conform(
    warehouse: Warehouse,
    entity: Entity,
    readings: Mapping[str, Reading],
    arrivals: Iterable[Arrival],
    *,
    everything: All | None = None,
    allowed: Collection[str] = (),
    allow_drop: bool = False,
) -> Merged:
    """Bring landed batches into the history of `entity`; tables are made ready first.

    Batches are taken in the order in which they were read: changes together, each complete read by itself, and each such
    group is one transaction. A batch that was taken before writes nothing. Where one comes later than others that were read
    after it (or with records that were readmitted), the keys that it is about are taken again from `everything` that
    landed: history is what all batches say together, whatever the order in which they come.

    When a complete read finds more absent than its reading's `max_drop`, its deletes wait, unless `allow_drop` or it is
    among the `allowed`; all else is taken.
    """
    made = ready(warehouse, entity)
    ordered = sorted({one.batch.id: one for one in arrivals}.values(), key=position_of)
    known = intakes_of(warehouse, entity.entity)
    done = Merged(findings=tuple(_turns(made.entity, made.change)))
    with LakeReader(warehouse) as lake:
        work = Conforming(
            warehouse=warehouse,
            lake=lake,
            entity=made.entity,
            readings=readings,
            allowed=allowed,
            allow_drop=allow_drop,
            everything=everything,
        )
        late, in_order = _parted(ordered, known)
        done += take_in_order(work, in_order)
        for arrival in late:
            done += _take_late(work, arrival, everything)
        return done + _look_again(work, [one for one in ordered if one.batch.id in known], everything)


def take_in_order(work: Conforming, ordered: Sequence[Arrival]) -> Merged:
    """Take batches that were read after all that are in, in the order in which they were read."""
    done = Merged()
    for _, group in itertools.groupby(ordered, key=lambda one: one.batch.id if one.complete else ""):
        done += _take_group(work, tuple(group), ordered)
    return done


def _parted(ordered: Sequence[Arrival], known: Mapping[str, Intake]) -> tuple[list[Arrival], list[Arrival]]:
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


def _take_group(work: Conforming, arrivals: tuple[Arrival, ...], all_of_them: Sequence[Arrival]) -> Merged:
    """Merge batches of changes, or one complete read and what it proves: all or nothing."""
    first, done = arrivals[0], Merged()
    verdict: Verdict = ""
    with work.warehouse.transaction():
        if first.batch.purpose != "sweep":
            done += _take(work, arrivals, whole=True)
        if first.complete:
            work.mark(to_micros(first.read_at))
            merged, verdict = conclude(
                _complete_read(work, first, all_of_them),
                verdict=work.verdicts.get(first.batch.id),
                allow_drop=work.allows(first),
            )
            done += merged
        note_intakes(work.warehouse, work.entity.entity, [(arrival, verdict) for arrival in arrivals])
        return done + _take_overtaken(work, all_of_them)


def _take_overtaken(work: Conforming, all_of_them: Sequence[Arrival]) -> Merged:
    """Take keys again for which a repetition was left out that may be news by now."""
    if not work.marks:
        return Merged()
    keys = stage_overtaken(work.warehouse, work.entity, work.marks, "silver__overtaken")
    work.marks.clear()
    if not work.warehouse.count(keys):
        return Merged()
    landed = work.everything() if work.everything else all_of_them
    return _retaken(work, keys, sorted(landed, key=position_of))


def _complete_read(work: Conforming, arrival: Arrival, all_of_them: Iterable[Arrival]) -> CompleteRead:
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
        reading=work.readings[arrival.source],
        arrival=arrival,
        verified=verified,
        only=work.only,
    )


def _take_late(work: Conforming, arrival: Arrival, everything: All | None) -> Merged:
    """Take a batch that was read before others that are in: what all of them say of its keys is worked out again."""
    if everything is None:
        msg = f"batch {arrival.batch.id} was read before others that are in, and they are not at hand"
        raise AssertionError(msg)
    landed = sorted(everything(), key=position_of)
    with work.warehouse.transaction():
        note_batches(work.warehouse, [arrival.provenance])
        keys, verdict, done = keys_concerned(_complete_read(work, arrival, landed), allow_drop=work.allows(arrival))
        note_intakes(work.warehouse, work.entity.entity, [(arrival, verdict)])
        return done + _retaken(work, keys, landed)


def _retaken(work: Conforming, keys: str, landed: Sequence[Arrival]) -> Merged:
    """Work out the history of some keys again, from every batch that the entity has taken."""
    known = intakes_of(work.warehouse, work.entity.entity)
    again = Retake(warehouse=work.warehouse, entity=work.entity, keys=keys)
    with again.scratch() as scratch, LakeReader(scratch.warehouse) as lake:
        inner = Conforming(
            warehouse=scratch.warehouse,
            lake=lake,
            entity=work.entity,
            readings=work.readings,
            only=scratch.keys,
            verdicts={name: intake.verdict for name, intake in known.items()},
        )
        concerned = scratch.connections()
        take_in_order(
            inner, [one for one in landed if one.batch.id in known and one.batch.feed.connection in concerned]
        )
        told = scratch.warehouse.arrow(
            select_telling(work.entity, scratch.warehouse.ref("silver", f"{work.entity.entity}_log"))
        )
        with again.scratch() as second:
            merge(second.warehouse, work.entity, second.warehouse.stage_arrow(EVENTS, told))
            return retake(again, second)


def _look_again(work: Conforming, ordered: Sequence[Arrival], everything: All | None) -> Merged:
    """Look again at complete reads whose deletes wait; those of which a newer read is in wait no more."""
    known = intakes_of(work.warehouse, work.entity.entity)
    concluded = [intake for intake in known.values() if intake.verdict in ("believed", "waiting")]
    newest: dict[tuple[str, str], Intake] = {}
    for intake in sorted(concluded, key=lambda one: one.position):
        newest[intake.connection, intake.resource] = intake
    waits = [intake for intake in concluded if intake.verdict == "waiting"]
    older = [one.batch_id for one in waits if newest[one.connection, one.resource] != one]
    replace_waiting(work.warehouse, work.entity.entity, older)
    done = Merged()
    for arrival in ordered:
        before = known.get(arrival.batch.id)
        if before is not None and before.verdict == "waiting" and before.batch_id not in older:
            done += _take_late(work, arrival, everything) if everything else Merged()
    return done


def _take(work: Conforming, arrivals: Sequence[Arrival], *, whole: bool = False) -> Merged:
    """Merge the events of some batches. `whole`: they are all that is taken together."""
    findings: list[Finding] = []
    selects: list[str] = []
    for arrival in arrivals:
        if arrival.files:
            reading = work.readings[arrival.source]
            stored = _types(work.lake, reading, arrival)
            findings += [] if work.only else _misfits(work.lake, work.entity, reading, arrival, stored)
            select = observed(work.entity, reading, arrival, stored)
            selects.append(
                f"SELECT * FROM ({select}) AS o WHERE entity_key IN (SELECT entity_key FROM {work.only})"
                if work.only
                else select
            )
    batches = [arrival.provenance for arrival in arrivals]
    note_batches(work.warehouse, batches)
    if not selects:
        return Merged(findings=tuple(findings))
    staged = work.lake.stage(EVENTS, selects)
    back: list[Finding] = []
    if whole and not work.only:
        back = find_going_back(work.warehouse, work.entity, staged, arrivals, work.readings)
    if needs_order(work.warehouse, staged):
        if len(arrivals) > 1:
            return sum((_take(work, [arrival]) for arrival in arrivals), Merged(findings=tuple(back)))
        findings += find_stamps(
            work.warehouse, staged, [one for one in arrivals if work.readings[one.source].changed_at]
        )
    findings += _keyless(work.warehouse, staged)
    work.mark(min(to_micros(arrival.read_at) for arrival in arrivals))
    if needs_order(work.warehouse, staged):
        drop_repeated(work.warehouse, work.entity, staged, EVENTS, whole=bool(work.only))
    done = merge(work.warehouse, work.entity, staged, in_order=True)
    work.warehouse.unstage(EVENTS)
    return done + Merged(findings=(*findings, *back))


def _types(lake: LakeReader, reading: Reading, arrival: Arrival) -> dict[str, str]:
    """The types that the expressions give over the records of a batch."""
    taken = ", ".join(f"{value} AS {quote(name)}" for name, value in reading.columns.items())
    return lake.types(f"SELECT {taken} FROM {records(arrival)}")


def _misfits(
    lake: LakeReader, entity: Entity, reading: Reading, arrival: Arrival, stored: Mapping[str, str]
) -> list[Finding]:
    """Values that are not of the declared type: NULL in the event, or with fewer digits, and said so."""
    tests = list(_misfit_tests(entity, reading, stored))
    if not tests:
        return []
    counts = ", ".join(f"COUNT(*) FILTER (WHERE {test})" for _, _, test in tests)
    where = f" WHERE {reading.where}" if reading.where else ""
    found = lake.rows(f"SELECT {counts} FROM {records(arrival)}{where}")[0]
    return [
        Finding(
            finding=finding,
            count=count,
            detail=f"{entity.entity}.{name} is {entity.columns[name].type}; batch {arrival.batch.id} of {arrival.source}",
        )
        for (finding, name, _), count in zip(tests, found, strict=True)
        if count
    ]


def _misfit_tests(entity: Entity, reading: Reading, stored: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """What may be wrong with a value of a column: finding, column, condition in SQL."""
    for name, value in reading.columns.items():
        dtype = entity.columns[name].type
        if may_not_fit(dtype, stored[name]):
            yield "does not fit", name, f"{value} IS NOT NULL AND {cast(value, dtype, stored[name])} IS NULL"
            if rounds := rounds_sql(value, dtype, stored[name]):
                yield "rounded", name, rounds


def _keyless(warehouse: Warehouse, staged: str) -> list[Finding]:
    """Records without a key: they cannot be anybody's history."""
    found = warehouse.rows(
        f"SELECT batch_id, COUNT(*) FILTER (WHERE NOT _outside) FROM {staged} WHERE entity_key IS NULL GROUP BY batch_id "
        "ORDER BY batch_id"
    )
    if found:
        warehouse.stage(EVENTS, f"SELECT * FROM {staged} WHERE entity_key IS NOT NULL")
    return [Finding(finding="no key", count=count, detail=f"batch {batch}") for batch, count in found if count]


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
