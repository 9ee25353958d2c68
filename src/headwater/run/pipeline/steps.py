"""Executes each kind of step with the lake, the ledger, the warehouse and the clients of one tenant."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import assert_never

from headwater.batch import Batch, Feed, Window, create_batch
from headwater.bronze.land import LandingOptions, land_batch
from headwater.clock import EPOCH
from headwater.errors import ExpiredError, HeadwaterError
from headwater.events import (
    BatchLanded,
    DriftSeen,
    Finding,
    FindingMade,
    ReadDropped,
    Repaired,
    TableBuilt,
    VersionsWritten,
)
from headwater.extract.delta_link import load_link
from headwater.extract.page_files import PageFiles
from headwater.extract.read import read_batch
from headwater.extract.request_params import ReadRequest
from headwater.gold.dimension.build import build_dimension
from headwater.gold.fact.build import build_fact
from headwater.gold.star import Star
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow
from headwater.model.dimension import Dimension
from headwater.model.entity import Entity
from headwater.model.fact import Fact
from headwater.model.tables import name_table
from headwater.plan.reads import expand_step
from headwater.plan.state import FeedState
from headwater.plan.step import BuildDimension, Conform, Extract, Land, LoadFact, Publish, Step
from headwater.publish.publish import publish
from headwater.run.pipeline.context import RunContext
from headwater.run.pipeline.inputs import (
    WarehouseReads,
    allow_drops,
    build_mappings,
    find_parent_changes,
    list_landed,
    load_allowed_drops,
    read_parent_keys,
)
from headwater.run.pipeline.publication_marks import mark_published, mark_unpublished
from headwater.run.pipeline.report import ALL_REFUSED
from headwater.run.pipeline.services import Services
from headwater.run.pipeline.sources import Source, WarehouseState, compute_fingerprint, load_feed_state
from headwater.run.pipeline.verify import ReadVerifier
from headwater.run.workspace import TenantWorkspace
from headwater.silver.conform import ReadyEntity, conform
from headwater.silver.consumed_batches import ConsumedBatch, get_position
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.silver.merge.result import MergeResult
from headwater.silver.schema.migrate import drop_entity, finish_rebuild
from headwater.warehouse.base import Warehouse, WriteCounts
from headwater.wire.cursor import Delta


@dataclass(frozen=True, kw_only=True)
class StepRunner:
    """Runs steps. The steps of a run share one instance."""

    workspace: TenantWorkspace
    context: RunContext
    sources: Mapping[Feed, Source]
    services: Services
    lake: Lake
    open_warehouse: Callable[[], Warehouse]
    """Opens the warehouse on the first call. Steps that read and land do not need it."""
    holds_nul: bool
    """Whether a text in the warehouse may contain the character NUL."""
    warehouse_state: WarehouseState = field(default_factory=WarehouseState)
    """The state of the warehouse when the run began."""
    waiting: set[str] = field(default_factory=set)
    """The batches whose deletes wait for confirmation."""
    reads: WarehouseReads = field(default_factory=WarehouseReads)
    """What the steps know of the warehouse already."""
    mappings: dict[str, Mapping[str, SourceMapping]] = field(default_factory=dict)
    """The source mappings of the entities that have been needed so far."""
    landing: threading.Lock = field(default_factory=threading.Lock)
    """One batch lands at a time, because landing uses all cores and its share of memory."""

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse of the tenant."""
        return self.open_warehouse()

    @cached_property
    def star(self) -> Star:
        """The declarations of gold."""
        return Star(declarations=self.workspace.declarations, settings=self.workspace.project.settings)

    @cached_property
    def fingerprint(self) -> int:
        """A number that differs for other declarations, settings or versions of Headwater."""
        return self.warehouse_state.fingerprint or compute_fingerprint(self.workspace.parent)

    def __post_init__(self) -> None:
        self.reads.ready_entities.update(self.warehouse_state.migrated)
        self.reads.positions = self.warehouse_state.positions

    def run_step(self, step: Step) -> str:
        """Execute one step, and return a summary. Cancelled if a stop was requested before it began."""
        self.context.check()
        match step:
            case Extract():
                return self._extract(step)
            case Land():
                return self._land(step)
            case Conform():
                return self._conform(step)
            case BuildDimension():
                return self._build(self.workspace.declarations.dimensions[step.name])
            case LoadFact():
                return self._build(self.workspace.declarations.facts[step.name])
            case Publish():
                return self._publish(step)
            case _:
                assert_never(step)

    def _publish(self, step: Publish) -> str:
        workspace = self.workspace
        publication = next(item for item in workspace.project.publish if item.name == step.name)
        mark_unpublished(workspace.ledger, workspace.tenant, step.name)
        summary = publish(
            publication,
            workspace.tenant,
            self.warehouse,
            declarations=workspace.declarations,
            root=workspace.root,
            now=workspace.clock.now(),
        )
        mark_published(workspace.ledger, workspace.tenant, publication)
        return summary

    def _extract(self, step: Extract) -> str:
        source = self.sources[step.batch.feed]
        steps: tuple[Extract, ...] = (step,)
        if step.open:
            unfinished = self.workspace.ledger.list_batches(
                self.workspace.tenant, states=("extracting", "failed"), feed=source.feed
            )
            keys = read_parent_keys(self.workspace.ledger, self.lake, source)
            state = load_feed_state(self.workspace.ledger, source, unfinished)
            steps = expand_step(step, state, keys=keys, changed_at=self._find_parent_changes(step, source, state, keys))
        return f"{sum(self._read(source, read) for read in steps):,} records"

    def _find_parent_changes(
        self, step: Extract, source: Source, state: FeedState, keys: Iterable[str]
    ) -> dict[str, datetime]:
        if step.unchanged_by is None:
            return {}
        committed = (windows for key in keys if (windows := state.parents.get(key)))
        ends = [max(window.until for window in windows) for windows in committed]
        return find_parent_changes(self.workspace.ledger, self.lake, source, read_until=ends) if ends else {}

    def _read(self, source: Source, step: Extract) -> int:
        request = ReadRequest(
            resource=source.resource,
            fields=source.fields,
            parents=step.parents,
            read_at=self.services.estimate_time(step.batch),
            estimate_latest_stamp=lambda: self.services.estimate_latest_stamp(step.batch),
        )
        if isinstance(source.resource.cursor, Delta):
            return self._read_delta(step.batch, request)
        return self._read_batch(step.batch, request).rows

    def _read_batch(self, batch: Batch, request: ReadRequest) -> BatchRow:
        ledger = self.workspace.ledger
        try:
            return read_batch(
                batch,
                request,
                self.services.find_client(batch.feed.connection),
                lake=self.lake,
                ledger=ledger,
                listen=self.context.listen,
                stop=self.context.stop,
            )
        except HeadwaterError as error:
            ledger.fail_batch(batch, str(error))
            raise

    def _read_delta(self, batch: Batch, request: ReadRequest) -> int:
        """Read from the last link on. If it has expired, read everything, which also shows what has been deleted."""
        ledger, feed = self.workspace.ledger, batch.feed
        try:
            if batch.is_complete:
                return self._read_batch(batch, request).rows
            link = load_link(ledger, feed)
            start = link.find_start(batch.id) if link else ""
            if start:
                return self._read_batch(batch, replace(request, start=start)).rows
        except ExpiredError:
            row = ledger.find_batch(feed.tenant, batch.id)
            if batch.is_complete and not (row and row.pages):
                raise
        whole = create_batch(
            feed, Window(since=EPOCH, until=batch.window.until), purpose="snapshot", attempt=batch.attempt
        )
        self._drop_expired(batch)
        return self._read_batch(whole, request).rows

    def _drop_expired(self, batch: Batch) -> None:
        """Drop a read whose link has expired."""
        ledger, row = self.workspace.ledger, self.workspace.ledger.find_batch(batch.feed.tenant, batch.id)
        PageFiles(batch, self.lake).clear()
        ledger.abandon_batch(batch)
        why = "its link has expired: everything is read again"
        self.context.listen(ReadDropped(tenant=batch.feed.tenant, batch=batch, pages=row.pages if row else 0, why=why))

    def _land(self, step: Land) -> str:
        if step.batch is not None:
            return f"{self._land_batch(step.batch):,} rows"
        rows = self.workspace.ledger.list_batches(self.workspace.tenant, feed=step.feed)
        return f"{sum(self._land_batch(row.batch) for row in rows if row.stage == 'extracted'):,} rows"

    def _land_batch(self, batch: Batch) -> int:
        source, now = self.sources[batch.feed], self.workspace.clock.now()
        row = self.workspace.ledger.find_batch(self.workspace.tenant, batch.id)
        if row is None or row.state == "failed":
            row = self.workspace.ledger.begin_batch(batch)  # a landing that failed resumes
        try:
            with self.landing:
                landed = land_batch(
                    batch,
                    source.resource,
                    lambda: source.contract,  # its class takes long to build, and most batches are empty
                    self.lake,
                    now=now,
                    options=LandingOptions(drift=source.policy.drift, allow_nul=self.holds_nul),
                    rows=row.rows,
                )
            self.workspace.ledger.record_landing(batch, kept=landed.kept, refused=landed.refused, drift=landed.drift)
        except HeadwaterError as error:
            self.workspace.ledger.fail_batch(batch, str(error))
            raise
        listen = self.context.listen
        for drift in landed.drift:
            if drift.kind == "repaired":
                listen(Repaired(tenant=self.workspace.tenant, batch=batch, field=drift.field, rows=drift.rows))
            else:
                listen(
                    DriftSeen(
                        tenant=self.workspace.tenant,
                        batch=batch,
                        field=drift.field,
                        kind=drift.kind,
                        detail=drift.detail,
                    )
                )
        if landed.refused and not landed.kept:
            detail = f"batch {batch.id} of {batch.feed.connection}"
            table = f"bronze.{batch.feed.resource}"
            self._report(Finding(table=table, finding=ALL_REFUSED, count=len(landed.refused), detail=detail))
        listen(
            BatchLanded(tenant=self.workspace.tenant, batch=batch, kept=landed.kept, quarantined=len(landed.refused))
        )
        return landed.kept

    def _conform(self, step: Conform) -> str:
        name, entity = step.entity, self.workspace.declarations.entities[step.entity]
        if step.rebuild_reason:
            return self._rebuild_history(entity, step.rebuild_reason)
        landed = self._list_landed(entity, known=self.reads.get_consumed(self.warehouse, name))
        if name in self.warehouse_state.migrated and all(item.is_empty for item in landed):
            # Which batches were taken is written for all such entities together, see `finish`.
            self.reads.empty[name] = landed
            self._report_merge(name, MergeResult())
            return _describe_merge(MergeResult())
        return self._conform_verified(entity, landed)

    def _rebuild_history(self, entity: Entity, reason: str) -> str:
        drop_entity(self.warehouse, entity)
        self.reads.refresh(entity.entity)
        detail = f"{entity.entity}: {reason}"
        self._report(Finding(table=f"silver.{entity.entity}", finding="history_rebuilt", count=1, detail=detail))
        summary = self._conform_verified(entity, self._list_landed(entity, known={}))
        finish_rebuild(self.warehouse, entity)
        return f"rebuilt: {summary}"

    def _conform_verified(self, entity: Entity, landed: Sequence[LandedBatch]) -> str:
        """Merge batches. Complete reads of this run are first verified with requests to their services."""
        verifier = ReadVerifier(
            entity=entity,
            mappings=self._get_mappings(entity),
            sources=self.sources,
            clients=self.services.clients,
            times=self.services.began,
            estimate_latest_stamp=self.services.estimate_latest_stamp,
            warehouse=self.warehouse,
            lake=self.lake,
            ledger=self.workspace.ledger,
            land=self._land_batch,
            listen=self.context.listen,
            allow_drop=self.context.allow_drop,
        )
        newest = {item.batch.feed: item for item in sorted(landed, key=get_position) if verifier.is_relevant(item)}
        newest_by_id = {item.batch.id: item for item in newest.values()}
        others = [item for item in landed if item.batch.id not in newest_by_id and not verifier.is_waiting(item)]
        # The first complete read is compared with the history, so its tables must exist.
        first = self.warehouse.describe("silver", f"{entity.entity}_log") is None
        merges = [self.conform(entity.entity, others)] if others or first or not newest_by_id else []
        for read in newest_by_id.values():
            verified, findings = verifier.verify(read)
            for finding in findings:
                self._report(finding)
            if verified:
                merges.append(self.conform(entity.entity, verified))
        if not merges:
            return "its deletes wait for confirmation by the service"
        return _describe_merge(sum(merges, start=MergeResult()))

    def finish(self) -> None:
        """Write what steps left to be written together. Call it after the last step, before batches count as completed."""
        if self.reads.empty:
            self.context.check_lease()
            self.reads.save_empty(self.warehouse)

    def _report(self, finding: Finding) -> None:
        self.context.listen(FindingMade(tenant=self.workspace.tenant, finding=finding))

    def _list_landed(self, entity: Entity, *, known: Mapping[str, ConsumedBatch]) -> list[LandedBatch]:
        return list_landed(self.workspace.ledger, self.lake, self.sources, entity, consumed=known)

    def conform(self, name: str, landed: Sequence[LandedBatch]) -> MergeResult:
        """Merge landed batches into the history of an entity, and return what was written."""
        entity = self.workspace.declarations.entities[name]
        migrated = self.warehouse_state.migrated.get(name)
        ledger, tenant = self.workspace.ledger, self.workspace.tenant
        merged = conform(
            self.warehouse,
            ReadyEntity(entity=migrated, consumed=self.reads.get_consumed(self.warehouse, name))
            if migrated
            else entity,
            self._get_mappings(entity),
            landed,
            load_landed=lambda: self._list_landed(entity, known={}),
            allowed=load_allowed_drops(ledger, tenant, name, landed),
            allow_drop=self.context.allow_drop,
        )
        self.reads.refresh(name)
        self.reads.ready_entities.add(name)
        self.waiting.update(merged.waiting)
        if self.context.allow_drop:
            allow_drops(ledger, tenant, name, landed)
        for finding in merged.findings:
            self._report(finding)
        self._report_merge(name, merged)
        return merged

    def _get_mappings(self, entity: Entity) -> Mapping[str, SourceMapping]:
        if entity.entity not in self.mappings:
            self.mappings[entity.entity] = build_mappings(self.workspace.parent, entity)
        return self.mappings[entity.entity]

    def _report_merge(self, name: str, merged: MergeResult) -> None:
        self.context.listen(
            VersionsWritten(
                tenant=self.workspace.tenant,
                entity=name,
                events=merged.events,
                inserted=merged.inserted,
                deleted=merged.deleted,
            )
        )

    def _build(self, declared: Dimension | Fact) -> str:
        listen, counts = self.context.listen, WriteCounts()
        if isinstance(declared, Fact) and declared.periods is not None:
            self.reads.save_empty(self.warehouse)  # the newest batch tells which months there are
        fingerprint = self.reads.find_declared(self.warehouse, self.star, declared, self.fingerprint)
        if self.reads.has_news(self.warehouse, self.star, declared, declared=fingerprint):
            positions, self.reads.positions = self.reads.load_positions(self.warehouse), None
            if isinstance(declared, Fact):
                counts = build_fact(
                    self.warehouse, self.star, declared, listen=listen, positions=positions, declared=fingerprint
                )
            else:
                counts = build_dimension(
                    self.warehouse, self.star, declared, listen=listen, positions=positions, declared=fingerprint
                )
        table = f"gold.{name_table(declared)}"
        listen(TableBuilt(tenant=self.workspace.tenant, table=table, inserted=counts.inserted, deleted=counts.deleted))
        return f"{counts.inserted:,} rows inserted, {counts.deleted:,} deleted"


def _describe_merge(merged: MergeResult) -> str:
    return f"{merged.events:,} events, {merged.inserted:,} versions inserted, {merged.deleted:,} deleted"
