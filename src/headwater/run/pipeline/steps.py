"""One tenant at work: carries out each kind of step with the tenant's own lake, ledger rows, warehouse and clients."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from headwater.batch import Batch, Feed
from headwater.bronze.land import LandingTerms, land
from headwater.errors import Cancelled, HeadwaterError
from headwater.events import BatchLanded, DriftSeen, EventListener, FindingMade, Repaired, TableBuilt, VersionsWritten
from headwater.extract.client import Client
from headwater.extract.read import read_batch
from headwater.extract.request_params import ReadRequest
from headwater.gold.dimension.build import build_dimension
from headwater.gold.fact.build import load_fact
from headwater.gold.star import Star
from headwater.lake.base import Lake
from headwater.model.dimension import Dimension
from headwater.model.entity import Entity
from headwater.model.fact import Fact
from headwater.model.tables import table_name
from headwater.plan.reads import expand_step
from headwater.plan.step import BuildDimension, Conform, Extract, Land, LoadFact, Publish, Step
from headwater.publish.publish import publish
from headwater.run.pipeline.inputs import allow_drops, allowed_drops, arrivals_of, parent_keys, readings_of
from headwater.run.pipeline.report import ALL_REFUSED
from headwater.run.pipeline.sources import Source, feed_state
from headwater.run.pipeline.verify import Inquiry
from headwater.run.workspace import Opened
from headwater.silver.conform import conform
from headwater.silver.consumed_batches import Intake, intakes_of, position_of
from headwater.silver.mapping import Arrival
from headwater.silver.merge.result import Finding as SilverFinding
from headwater.silver.schema.migrate import drop, settle
from headwater.warehouse.base import Warehouse, Written


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the steps of a run share."""

    opened: Opened
    tenant: str
    sources: Mapping[Feed, Source]
    clients: Mapping[str, Client]
    """By connection; one that could not be asked is not here."""
    unreachable: Mapping[str, HeadwaterError] = field(default_factory=dict)
    """By connection: why it could not be asked."""
    times: Mapping[str, datetime] = field(default_factory=dict)
    """By connection: the time agreed on with its service when the run began."""
    credible: Mapping[str, datetime] = field(default_factory=dict)
    """By connection: how late a stamp could be and be true when the run began."""
    newest: Mapping[str, datetime] = field(default_factory=dict)
    """By connection: when the newest read before this run began."""
    began: float = 0.0
    """When that was, in seconds that never go back."""
    lake: Lake
    warehouse: Warehouse
    listen: EventListener
    stop: Callable[[], bool]
    check: Callable[[], None]
    """Raises once the lease is lost."""
    allow_drop: bool = False
    waiting: set[str] = field(default_factory=set)
    """Batches whose deletes wait, as far as was seen."""
    landing: threading.Lock = field(default_factory=threading.Lock)
    """Landing fills all cores and its share of memory by itself: one batch at a time."""

    def carry(self, step: Step) -> str:
        """Do one step; a few words of what it did. Cancelled before one that was not begun."""
        self.check()
        if self.stop():
            raise Cancelled
        match step:
            case Extract():
                return self._extract(step)
            case Land():
                return self._land(step)
            case Conform():
                return self._conform(step)
            case BuildDimension():
                return self._build(self.opened.declarations.dimensions[step.name])
            case LoadFact():
                return self._build(self.opened.declarations.facts[step.name])
            case Publish():
                return self._publish(step)
            case _:
                assert_never(step)

    def _publish(self, step: Publish) -> str:
        project = self.opened.project
        return publish(
            next(publication for publication in project.publish if publication.name == step.name),
            self.tenant,
            self.warehouse,
            declarations=self.opened.declarations,
            root=self.opened.root,
            now=self.opened.clock.now(),
        )

    def _extract(self, step: Extract) -> str:
        source = self.sources[step.batch.feed]
        steps: tuple[Extract, ...] = (step,)
        if step.open:
            unfinished = self.opened.ledger.batches(self.tenant, states=("extracting", "failed"), feed=source.feed)
            keys = parent_keys(self.opened.ledger, self.lake, source)
            steps = expand_step(step, feed_state(self.opened.ledger, source, unfinished), keys=keys)
        return f"{sum(self._read(source, one) for one in steps):,} records"

    def _read(self, source: Source, step: Extract) -> int:
        question = ReadRequest(
            resource=source.resource,
            fields=source.fields,
            parents=step.parents,
            asked_at=self._asked_at(step.batch),
            credible=lambda: self._credible(step.batch),
        )
        client = self._client(source.feed.connection)
        ledger = self.opened.ledger
        try:
            row = read_batch(
                step.batch, question, client, lake=self.lake, ledger=ledger, listen=self.listen, stop=self.stop
            )
        except HeadwaterError as error:
            self.opened.ledger.fail_batch(step.batch, str(error))
            raise
        return row.rows

    def _asked_at(self, batch: Batch) -> datetime | None:
        """The time agreed on with the service, by now; never before the end of the window that is asked for.

        Nor before a read of an earlier run: services tell whole seconds, and clocks are set back by a little.
        """
        agreed = self.times.get(batch.feed.connection)
        if agreed is None:
            return None
        before = self.newest.get(batch.feed.connection)
        began = agreed if before is None else max(agreed, before + timedelta(microseconds=1))
        return max(began + self._since_began(), batch.window.until)

    def _credible(self, batch: Batch) -> datetime:
        """How late a stamp can be by now and be true: a read takes its time, and one of two clocks may be behind."""
        return self.credible.get(batch.feed.connection, batch.window.until) + self._since_began()

    def _since_began(self) -> timedelta:
        return timedelta(seconds=max(0.0, self.opened.clock.monotonic() - self.began))

    def _client(self, connection: str) -> Client:
        if connection in self.unreachable:
            raise self.unreachable[connection]
        return self.clients[connection]

    def _land(self, step: Land) -> str:
        if step.batch is not None:
            return f"{self._land_batch(step.batch):,} rows"
        rows = self.opened.ledger.batches(self.tenant, feed=step.feed)
        return f"{sum(self._land_batch(row.batch) for row in rows if row.stage == 'extracted'):,} rows"

    def _land_batch(self, batch: Batch) -> int:
        source, now = self.sources[batch.feed], self.opened.clock.now()
        known = self.opened.ledger.begin_batch(batch)  # a landing that failed goes on from where it was
        try:
            with self.landing:
                landed = land(
                    batch,
                    source.resource,
                    source.contract,
                    self.lake,
                    now=now,
                    terms=LandingTerms(drift=source.policy.drift, nul=self.warehouse.capabilities.holds_nul),
                    rows=known.rows,
                )
            self.opened.ledger.record_landing(batch, kept=landed.kept, refused=landed.refused, drift=landed.drift)
        except HeadwaterError as error:
            self.opened.ledger.fail_batch(batch, str(error))
            raise
        tell = self.listen
        for one in landed.drift:
            if one.kind == "repaired":
                tell(Repaired(tenant=self.tenant, batch=batch, field=one.field, rows=one.rows))
            else:
                tell(DriftSeen(tenant=self.tenant, batch=batch, field=one.field, kind=one.kind, detail=one.detail))
        if landed.refused and not landed.kept:
            self._find(f"bronze.{batch.feed.resource}", SilverFinding(
                finding=ALL_REFUSED, count=len(landed.refused), detail=f"batch {batch.id} of {batch.feed.connection}",
            ))  # fmt: skip
        tell(BatchLanded(tenant=self.tenant, batch=batch, kept=landed.kept, quarantined=len(landed.refused)))
        return landed.kept

    def _conform(self, step: Conform) -> str:
        name, entity = step.entity, self.opened.declarations.entities[step.entity]
        if step.rebuild_reason:
            drop(self.warehouse, entity)
            self._find(
                f"silver.{name}", SilverFinding(finding="made anew", count=1, detail=f"{name}: {step.rebuild_reason}")
            )
        known = intakes_of(self.warehouse, name)
        said = self._conform_verified(entity, self._arrivals(entity, known=known))
        settle(self.warehouse, entity)
        return f"made anew: {said}" if step.rebuild_reason else said

    def _conform_verified(self, entity: Entity, arrivals: Sequence[Arrival]) -> str:
        """Take batches in; of complete reads of this run, once their services were asked about what they leave open."""
        inquiry = Inquiry(
            entity=entity,
            readings=readings_of(self.opened, entity),
            sources=self.sources,
            clients=self.clients,
            times=self.times,
            credible=self._credible,
            warehouse=self.warehouse,
            lake=self.lake,
            ledger=self.opened.ledger,
            land=self._land_batch,
            listen=self.listen,
            allow_drop=self.allow_drop,
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
                self._find(f"silver.{entity.entity}", found)
            if taken:
                said = self.conform(entity.entity, taken)
        return said or "its deletes wait for an answer of the service"

    def _find(self, table: str, found: SilverFinding) -> None:
        told = FindingMade(
            tenant=self.tenant, table=table, finding=found.finding, count=found.count, detail=found.detail
        )
        self.listen(told)

    def _arrivals(self, entity: Entity, *, known: Mapping[str, Intake]) -> list[Arrival]:
        return arrivals_of(self.opened.ledger, self.lake, self.sources, entity, known=known)

    def conform(self, name: str, arrivals: Sequence[Arrival]) -> str:
        """Bring landed batches into the history of an entity."""
        entity = self.opened.declarations.entities[name]
        readings = readings_of(self.opened, entity)
        ledger, tenant = self.opened.ledger, self.tenant
        merged = conform(
            self.warehouse,
            entity,
            readings,
            arrivals,
            everything=lambda: self._arrivals(entity, known={}),
            allowed=allowed_drops(ledger, tenant, name, arrivals),
            allow_drop=self.allow_drop,
        )
        self.waiting.update(merged.waiting)
        if self.allow_drop:
            allow_drops(ledger, tenant, name, arrivals)
        for found in merged.findings:
            self._find(f"silver.{name}", found)
        self.listen(
            VersionsWritten(
                tenant=self.tenant, entity=name, events=merged.events, inserted=merged.inserted, deleted=merged.deleted
            )
        )
        return f"{merged.events:,} events, {merged.inserted:,} versions in, {merged.deleted:,} out"

    def _build(self, declared: Dimension | Fact) -> str:
        star = Star(declarations=self.opened.declarations, settings=self.opened.project.settings)
        tell = self.listen
        written: Written
        if isinstance(declared, Fact):
            written = load_fact(self.warehouse, star, declared, listen=tell)
        else:
            written = build_dimension(self.warehouse, star, declared, listen=tell)
        table = f"gold.{table_name(declared)}"
        tell(TableBuilt(tenant=self.tenant, table=table, inserted=written.inserted, deleted=written.deleted))
        return f"{written.inserted:,} rows in, {written.deleted:,} out"
