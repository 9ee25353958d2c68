"""One tenant at work: carries out each kind of step with the tenant's own lake, ledger rows, warehouse and clients."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from headwater.batch import Batch, Feed
from headwater.bronze.land import LandingTerms, land
from headwater.errors import HeadwaterError
from headwater.events import BatchLanded, DriftSeen, Finding, FindingMade, Repaired, TableBuilt, VersionsWritten
from headwater.extract.read import read_batch
from headwater.extract.request_params import ReadRequest
from headwater.gold.dimension.build import build_dimension
from headwater.gold.fact.build import build_fact
from headwater.gold.star import Star
from headwater.lake.base import Lake
from headwater.model.dimension import Dimension
from headwater.model.entity import Entity
from headwater.model.fact import Fact
from headwater.model.tables import table_name
from headwater.plan.reads import expand_step
from headwater.plan.step import BuildDimension, Conform, Extract, Land, LoadFact, Publish, Step
from headwater.publish.publish import publish
from headwater.run.pipeline.context import RunContext
from headwater.run.pipeline.inputs import allow_drops, allowed_drops, arrivals_of, parent_keys, readings_of
from headwater.run.pipeline.report import ALL_REFUSED
from headwater.run.pipeline.services import Services
from headwater.run.pipeline.sources import Source, Standing, feed_state
from headwater.run.pipeline.verify import Inquiry
from headwater.run.workspace import TenantWorkspace
from headwater.silver.conform import conform
from headwater.silver.consumed_batches import ConsumedBatch, load_consumed, position_of
from headwater.silver.mapping import LandedBatch
from headwater.silver.schema.migrate import drop_entity, finish_rebuild
from headwater.warehouse.base import Warehouse, WriteCounts


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the steps of a run share."""

    workspace: TenantWorkspace
    context: RunContext
    sources: Mapping[Feed, Source]
    services: Services
    lake: Lake
    open_warehouse: Callable[[], Warehouse]
    """The warehouse, opened by the first call: steps that read and land do without."""
    holds_nul: bool
    """Whether a text in the warehouse may hold the character NUL."""
    standing: Standing = field(default_factory=Standing)
    """What the warehouse had when the run began."""
    waiting: set[str] = field(default_factory=set)
    """Batches whose deletes wait, as far as was seen."""
    landing: threading.Lock = field(default_factory=threading.Lock)
    """Landing fills all cores and its share of memory by itself: one batch at a time."""

    @property
    def warehouse(self) -> Warehouse:
        """The tenant's warehouse."""
        return self.open_warehouse()

    def carry(self, step: Step) -> str:
        """Do one step; a few words of what it did. StopRequested before one that was not begun."""
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
        project = self.workspace.project
        return publish(
            next(publication for publication in project.publish if publication.name == step.name),
            self.workspace.tenant,
            self.warehouse,
            declarations=self.workspace.declarations,
            root=self.workspace.root,
            now=self.workspace.clock.now(),
        )

    def _extract(self, step: Extract) -> str:
        source = self.sources[step.batch.feed]
        steps: tuple[Extract, ...] = (step,)
        if step.open:
            unfinished = self.workspace.ledger.batches(
                self.workspace.tenant, states=("extracting", "failed"), feed=source.feed
            )
            keys = parent_keys(self.workspace.ledger, self.lake, source)
            steps = expand_step(step, feed_state(self.workspace.ledger, source, unfinished), keys=keys)
        return f"{sum(self._read(source, one) for one in steps):,} records"

    def _read(self, source: Source, step: Extract) -> int:
        question = ReadRequest(
            resource=source.resource,
            fields=source.fields,
            parents=step.parents,
            asked_at=self.services.asked_at(step.batch),
            credible=lambda: self.services.credible_until(step.batch),
        )
        client = self.services.client(source.feed.connection)
        ledger = self.workspace.ledger
        try:
            row = read_batch(
                step.batch,
                question,
                client,
                lake=self.lake,
                ledger=ledger,
                listen=self.context.listen,
                stop=self.context.stop,
            )
        except HeadwaterError as error:
            self.workspace.ledger.fail_batch(step.batch, str(error))
            raise
        return row.rows

    def _land(self, step: Land) -> str:
        if step.batch is not None:
            return f"{self._land_batch(step.batch):,} rows"
        rows = self.workspace.ledger.batches(self.workspace.tenant, feed=step.feed)
        return f"{sum(self._land_batch(row.batch) for row in rows if row.stage == 'extracted'):,} rows"

    def _land_batch(self, batch: Batch) -> int:
        source, now = self.sources[batch.feed], self.workspace.clock.now()
        known = self.workspace.ledger.begin_batch(batch)  # a landing that failed goes on from where it was
        try:
            with self.landing:
                landed = land(
                    batch,
                    source.resource,
                    source.contract,
                    self.lake,
                    now=now,
                    terms=LandingTerms(drift=source.policy.drift, nul=self.holds_nul),
                    rows=known.rows,
                )
            self.workspace.ledger.record_landing(batch, kept=landed.kept, refused=landed.refused, drift=landed.drift)
        except HeadwaterError as error:
            self.workspace.ledger.fail_batch(batch, str(error))
            raise
        tell = self.context.listen
        for one in landed.drift:
            if one.kind == "repaired":
                tell(Repaired(tenant=self.workspace.tenant, batch=batch, field=one.field, rows=one.rows))
            else:
                tell(
                    DriftSeen(
                        tenant=self.workspace.tenant, batch=batch, field=one.field, kind=one.kind, detail=one.detail
                    )
                )
        if landed.refused and not landed.kept:
            detail = f"batch {batch.id} of {batch.feed.connection}"
            table = f"bronze.{batch.feed.resource}"
            self._report(Finding(table=table, finding=ALL_REFUSED, count=len(landed.refused), detail=detail))
        tell(BatchLanded(tenant=self.workspace.tenant, batch=batch, kept=landed.kept, quarantined=len(landed.refused)))
        return landed.kept

    def _conform(self, step: Conform) -> str:
        name, entity = step.entity, self.workspace.declarations.entities[step.entity]
        if step.rebuild_reason:
            drop_entity(self.warehouse, entity)
            detail = f"{name}: {step.rebuild_reason}"
            self._report(Finding(table=f"silver.{name}", finding="history_rebuilt", count=1, detail=detail))
        known = load_consumed(self.warehouse, name)
        said = self._conform_verified(entity, self._arrivals(entity, known=known))
        finish_rebuild(self.warehouse, entity)
        return f"rebuilt: {said}" if step.rebuild_reason else said

    def _conform_verified(self, entity: Entity, arrivals: Sequence[LandedBatch]) -> str:
        """Take batches in; of complete reads of this run, once their services were asked about what they leave open."""
        inquiry = Inquiry(
            entity=entity,
            readings=readings_of(self.workspace.whole, entity),
            sources=self.sources,
            clients=self.services.clients,
            times=self.services.began,
            credible=self.services.credible_until,
            warehouse=self.warehouse,
            lake=self.lake,
            ledger=self.workspace.ledger,
            land=self._land_batch,
            listen=self.context.listen,
            allow_drop=self.context.allow_drop,
        )
        newest = {one.batch.feed: one for one in sorted(arrivals, key=position_of) if inquiry.concerns(one)}
        fresh = {one.batch.id: one for one in newest.values()}
        others = [one for one in arrivals if one.batch.id not in fresh and not inquiry.held(one)]
        # A first complete read is held against a history whose tables are there.
        first = self.warehouse.describe("silver", f"{entity.entity}_log") is None
        said = self.conform(entity.entity, others) if others or first or not fresh else ""
        for arrival in fresh.values():
            taken, findings = inquiry.settle(arrival)
            for found in findings:
                self._report(found)
            if taken:
                said = self.conform(entity.entity, taken)
        return said or "its deletes wait for an answer of the service"

    def _report(self, finding: Finding) -> None:
        self.context.listen(FindingMade(tenant=self.workspace.tenant, finding=finding))

    def _arrivals(self, entity: Entity, *, known: Mapping[str, ConsumedBatch]) -> list[LandedBatch]:
        return arrivals_of(self.workspace.ledger, self.lake, self.sources, entity, known=known)

    def conform(self, name: str, arrivals: Sequence[LandedBatch]) -> str:
        """Bring landed batches into the history of an entity."""
        entity = self.workspace.declarations.entities[name]
        readings = readings_of(self.workspace.whole, entity)
        ledger, tenant = self.workspace.ledger, self.workspace.tenant
        merged = conform(
            self.warehouse,
            entity,
            readings,
            arrivals,
            load_landed=lambda: self._arrivals(entity, known={}),
            allowed=allowed_drops(ledger, tenant, name, arrivals),
            allow_drop=self.context.allow_drop,
        )
        self.waiting.update(merged.waiting)
        if self.context.allow_drop:
            allow_drops(ledger, tenant, name, arrivals)
        for found in merged.findings:
            self._report(found)
        self.context.listen(
            VersionsWritten(
                tenant=self.workspace.tenant,
                entity=name,
                events=merged.events,
                inserted=merged.inserted,
                deleted=merged.deleted,
            )
        )
        return f"{merged.events:,} events, {merged.inserted:,} versions in, {merged.deleted:,} out"

    def _build(self, declared: Dimension | Fact) -> str:
        star = Star(declarations=self.workspace.declarations, settings=self.workspace.project.settings)
        tell = self.context.listen
        written: WriteCounts
        if isinstance(declared, Fact):
            written = build_fact(self.warehouse, star, declared, listen=tell)
        else:
            written = build_dimension(self.warehouse, star, declared, listen=tell)
        table = f"gold.{table_name(declared)}"
        tell(TableBuilt(tenant=self.workspace.tenant, table=table, inserted=written.inserted, deleted=written.deleted))
        return f"{written.inserted:,} rows in, {written.deleted:,} out"
