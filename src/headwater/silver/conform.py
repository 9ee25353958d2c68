"""From landed batches to history: reads records as events, drops what says nothing new, merges, and believes complete reads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from headwater.clock import to_micros
from headwater.events import Finding
from headwater.model.entity import Entity
from headwater.silver.complete_read import CompleteRead
from headwater.silver.consumed_batches import (
    ConsumedBatch,
    DeleteVerdict,
    get_position,
    load_consumed,
    replace_waiting,
    save_consumed,
)
from headwater.silver.deletes import apply_complete_read
from headwater.silver.entity_tables import EntityTables
from headwater.silver.events import select_events
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.silver.merge.merge import merge_events, save_batches
from headwater.silver.merge.repeats import drop_repeats, load_mark, select_deciding, stage_overtaken
from headwater.silver.merge.replay import Replay, stage_affected_keys
from headwater.silver.merge.result import MergeResult
from headwater.silver.merge.stats import EventStats, read_stats
from headwater.silver.mismatches import find_column_changes, find_mismatches, read_types
from headwater.silver.schema.migrate import MigratedEntity, migrate_tables
from headwater.silver.stamps import find_going_back, find_stamps
from headwater.warehouse.base import Warehouse
from headwater.warehouse.lake_reader import LakeReader

EVENTS = "silver__events"
"""The temporary table in which the events of some batches meet."""

LoadLanded = Callable[[], Sequence[LandedBatch]]
"""Gives every batch of an entity's sources that ever landed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyEntity:
    """An entity whose tables are as it needs them, see `find_migrated`, and what it has taken."""

    entity: Entity
    """The entity as its history goes on."""
    consumed: Mapping[str, ConsumedBatch]


def conform(
    warehouse: Warehouse,
    entity: Entity | ReadyEntity,
    mappings: Mapping[str, SourceMapping],
    batches: Iterable[LandedBatch],
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
    made = (
        MigratedEntity(entity=entity.entity) if isinstance(entity, ReadyEntity) else migrate_tables(warehouse, entity)
    )
    ordered = sorted({landed.batch.id: landed for landed in batches}.values(), key=get_position)
    done = MergeResult(findings=tuple(find_column_changes(made.entity, made.change)))
    with LakeReader(warehouse) as lake:
        job = ConformJob(
            tables=EntityTables(warehouse, made.entity),
            lake=lake,
            mappings=mappings,
            allowed=allowed,
            allow_drop=allow_drop,
            load_landed=load_landed,
        )
        if isinstance(entity, ReadyEntity):
            return done + job.take(ordered, entity.consumed)
        return done + job.take(ordered, load_consumed(warehouse, entity.entity))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformJob:
    """How batches are taken into the history of an entity."""

    tables: EntityTables
    lake: LakeReader
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

    @property
    def warehouse(self) -> Warehouse:
        """Where the entity is stored."""
        return self.tables.warehouse

    def record_mark(self, since: int, mark: int | None) -> None:
        """Remember that events are taken that were since then. `mark`: until when repetitions have been left out."""
        if mark is not None and not self.only:
            self.marks[mark] = min(since, self.marks.get(mark, since))

    def is_drop_allowed(self, landed: LandedBatch) -> bool:
        """Whether the deletes of a complete read are let through, however many they are."""
        return self.allow_drop or landed.batch.id in self.allowed

    def take(self, ordered: Sequence[LandedBatch], known: Mapping[str, ConsumedBatch]) -> MergeResult:
        """Take batches, some of which the entity may have taken already (`known`)."""
        late, in_order = _split_late(ordered, known)
        done = self.take_in_order(in_order)
        for landed in late:
            done += self._take_late(landed)
        if not done.waiting and all(consumed.verdict != "waiting" for consumed in known.values()):
            return done
        return done + self._recheck_waiting([landed for landed in ordered if landed.batch.id in known])

    def take_in_order(self, ordered: Sequence[LandedBatch]) -> MergeResult:
        """Take batches that were read after all that are in, in the order in which they were read."""
        done = MergeResult()
        for _, group in itertools.groupby(ordered, key=lambda one: one.batch.id if one.is_complete else ""):
            done += self._take_group(tuple(group), ordered)
        return done

    def _take_group(self, batches: tuple[LandedBatch, ...], all_batches: Sequence[LandedBatch]) -> MergeResult:
        """Merge batches of changes, or one complete read and what it proves: all or nothing."""
        first, done = batches[0], MergeResult()
        verdict: DeleteVerdict = ""
        with self.warehouse.transaction(), self.warehouse.staging():
            if first.batch.purpose != "sweep":
                done += self._take(batches, whole=True)
            if first.is_complete:
                self.record_mark(to_micros(first.read_at), None if self.only else load_mark(self.tables))
                merged, verdict = apply_complete_read(
                    self._build_complete_read(first, all_batches),
                    verdict=self.verdicts.get(first.batch.id),
                    allow_drop=self.is_drop_allowed(first),
                )
                done += merged
            save_consumed(self.warehouse, self.tables.name, [(landed, verdict) for landed in batches], are_known=False)
            return done + self._take_overtaken(all_batches)

    def _take_overtaken(self, all_batches: Sequence[LandedBatch]) -> MergeResult:
        """Take keys again for which a repetition was left out that may be news by now."""
        if not self.marks:
            return MergeResult()
        keys = stage_overtaken(self.tables, self.marks, "silver__overtaken")
        self.marks.clear()
        if not self.warehouse.count(keys):
            return MergeResult()
        all_landed = self.load_landed() if self.load_landed else all_batches
        return self._replay_keys(keys, sorted(all_landed, key=get_position))

    def _build_complete_read(self, landed: LandedBatch, all_batches: Iterable[LandedBatch]) -> CompleteRead:
        verified = [
            other
            for other in all_batches
            if other.batch.purpose == "verify"
            and other.batch.feed == landed.batch.feed
            and other.batch.window.until == landed.batch.window.until
        ]
        return CompleteRead(
            tables=self.tables,
            lake=self.lake,
            mapping=self.mappings[landed.source],
            landed=landed,
            verified=verified,
            only=self.only,
        )

    def _take_late(self, landed: LandedBatch) -> MergeResult:
        """Take a batch that was read before others that are in: what all of them say of its keys is worked out again."""
        if self.load_landed is None:
            msg = (
                f"batch {landed.batch.id} was read before batches that are already merged, and those are not available"
            )
            raise AssertionError(msg)
        all_landed = sorted(self.load_landed(), key=get_position)
        with self.warehouse.transaction(), self.warehouse.staging():
            save_batches(self.warehouse, [landed.provenance])
            keys, verdict, done = stage_affected_keys(
                self._build_complete_read(landed, all_landed), allow_drop=self.is_drop_allowed(landed)
            )
            save_consumed(self.warehouse, self.tables.name, [(landed, verdict)], are_known=True)
            return done + self._replay_keys(keys, all_landed)

    def _replay_keys(self, keys: str, all_landed: Sequence[LandedBatch]) -> MergeResult:
        """Work out the history of some keys again, from every batch that the entity has taken."""
        known = load_consumed(self.warehouse, self.tables.name)
        replay = Replay(tables=self.tables, keys=keys)
        with replay.open_scratch() as scratch, LakeReader(scratch.warehouse) as lake:
            inner = ConformJob(
                tables=scratch.tables,
                lake=lake,
                mappings=self.mappings,
                only=scratch.keys,
                verdicts={name: consumed.verdict for name, consumed in known.items()},
            )
            concerned = scratch.find_connections()
            inner.take_in_order(
                [item for item in all_landed if item.batch.id in known and item.batch.feed.connection in concerned]
            )
            deciding = select_deciding(scratch.tables.log, scratch.tables.log_ref)
            events = scratch.warehouse.fetch_arrow(deciding)
            with replay.open_scratch() as second:
                merge_events(second.tables, second.warehouse.stage(EVENTS, events))
                return replay.apply(second)

    def _recheck_waiting(self, ordered: Sequence[LandedBatch]) -> MergeResult:
        """Look again at complete reads whose deletes wait; those of which a newer read is in wait no more."""
        known = load_consumed(self.warehouse, self.tables.name)
        concluded = [intake for intake in known.values() if intake.verdict in ("believed", "waiting")]
        newest: dict[tuple[str, str], ConsumedBatch] = {}
        for intake in sorted(concluded, key=lambda one: one.position):
            newest[intake.connection, intake.resource] = intake
        waits = [intake for intake in concluded if intake.verdict == "waiting"]
        older = [one.batch_id for one in waits if newest[one.connection, one.resource] != one]
        replace_waiting(self.warehouse, self.tables.name, older)
        done = MergeResult()
        for landed in ordered:
            before = known.get(landed.batch.id)
            if before is not None and before.verdict == "waiting" and before.batch_id not in older:
                done += self._take_late(landed) if self.load_landed else MergeResult()
        return done

    def _take(self, batches: Sequence[LandedBatch], *, whole: bool = False) -> MergeResult:
        """Merge the events of some batches. `whole`: they are all that is taken together."""
        selects, findings = self._select_events(batches)
        save_batches(self.warehouse, [landed.provenance for landed in batches])
        if not selects:
            return MergeResult(findings=tuple(findings))
        with self.warehouse.staging():
            staged = self.lake.stage(EVENTS, selects)
            stats = read_stats(self.tables, staged)
            back: list[Finding] = []
            if whole and not self.only:
                back = find_going_back(self.tables, staged, batches, self.mappings, stats)
            if len(batches) > 1 and stats.is_order_dependent:
                return sum((self._take([landed]) for landed in batches), MergeResult(findings=tuple(back)))
            merged = self._merge_staged(staged, batches, stats)
        return MergeResult(findings=tuple(findings)) + merged + MergeResult(findings=tuple(back))

    def _merge_staged(self, staged: str, batches: Sequence[LandedBatch], stats: EventStats) -> MergeResult:
        """Merge the staged events of some batches, of one alone where their order matters."""
        findings: list[Finding] = []
        if stats.is_order_dependent:
            stamping = [landed for landed in batches if self.mappings[landed.source].changed_at]
            findings += find_stamps(self.tables, staged, stamping)
        if stats.has_keyless:
            findings += self._drop_keyless(staged)
        self.record_mark(min(to_micros(landed.read_at) for landed in batches), stats.mark)
        if stats.is_order_dependent:
            drop_repeats(self.tables, staged, EVENTS, whole=bool(self.only))
        merged = merge_events(self.tables, staged, in_order=True, is_one_read=stats.is_one_read)
        return merged + MergeResult(findings=tuple(findings))

    def _select_events(self, batches: Sequence[LandedBatch]) -> tuple[list[str], list[Finding]]:
        """SELECTs of the events of each batch that has files, and the findings about values that do not fit."""
        findings: list[Finding] = []
        selects: list[str] = []
        entity = self.tables.entity
        for landed in batches:
            if not landed.files:
                continue
            mapping = self.mappings[landed.source]
            stored = read_types(self.lake, mapping, landed)
            select = select_events(entity, mapping, landed, stored)
            if self.only:
                select = f"SELECT * FROM ({select}) AS o WHERE entity_key IN (SELECT entity_key FROM {self.only})"
            else:
                findings += find_mismatches(self.lake, entity, mapping, landed, stored)
            selects.append(select)
        return selects, findings

    def _drop_keyless(self, staged: str) -> list[Finding]:
        """Records without a key: they cannot be anybody's history."""
        counts = self.warehouse.rows(
            f"SELECT batch_id, COUNT(*) FILTER (WHERE NOT _outside) FROM {staged} WHERE entity_key IS NULL "
            "GROUP BY batch_id ORDER BY batch_id"
        )
        self.warehouse.stage(EVENTS, f"SELECT * FROM {staged} WHERE entity_key IS NOT NULL")
        return [
            Finding(table=self.tables.shown, finding="missing_key", count=count, detail=f"batch {batch}")
            for batch, count in counts
            if count
        ]


def _split_late(
    ordered: Sequence[LandedBatch], known: Mapping[str, ConsumedBatch]
) -> tuple[list[LandedBatch], list[LandedBatch]]:
    """The batches that come late, or with more than when they were taken; and those that come in order."""
    newest = max((intake.position for intake in known.values()), default=None)
    late, in_order = [], []
    for landed in ordered:
        before = known.get(landed.batch.id)
        if before is not None:
            if before.files < len(landed.files):
                late.append(landed)
        elif newest is not None and get_position(landed) < newest:
            late.append(landed)
        else:
            in_order.append(landed)
    return late, in_order
