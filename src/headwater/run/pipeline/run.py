"""A run from end to end: the lease, the services' time, the plan, its execution, the report."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

from headwater.batch import Feed
from headwater.clock import Clock, parse_span
from headwater.errors import DeclarationError, HeadwaterError, ServiceError
from headwater.events import (
    EventListener,
    FindingMade,
    discard,
)
from headwater.extract.client import Client
from headwater.extract.rate_limit import RateLimiters
from headwater.gold.change_feed import trim
from headwater.ledger.base import CLEAR_SECRET_REMOVED, FindingRow
from headwater.ledger.heartbeat import SECONDS, keep_lease
from headwater.ledger.lease_owner import lease_owner
from headwater.plan.build import build_plan
from headwater.plan.dependencies import build_dependencies
from headwater.plan.state import LAYERS, Layer, RunRequest
from headwater.plan.step import Conform, Land, Plan
from headwater.run.clients import client_of
from headwater.run.pipeline.cleanup import check_writable, clear_leftovers
from headwater.run.pipeline.executor import execute
from headwater.run.pipeline.interruptible_clock import Patience
from headwater.run.pipeline.options import Asked
from headwater.run.pipeline.record_counts import Counting, shown_counts
from headwater.run.pipeline.report import Tally, outcome_of
from headwater.run.pipeline.source_clock import Agreed, Sight, agree, mark_of, settle_clocks, sight_of
from headwater.run.pipeline.sources import Source, Standing, sources_of, standing_of, state_of
from headwater.run.pipeline.steps import Work
from headwater.run.pipeline.unfinished_reads import drop_reads, stale_reads, without_stale
from headwater.run.results import Counted, Finding, Outcome, RunReport, StepResult
from headwater.run.workspace import Opened
from headwater.silver.schema.migrate import ready_meta
from headwater.warehouse.base import Warehouse

SCOPE = "run"
"""What the lease of a run is on: a whole tenant, for its warehouse may know one writer only."""


@contextmanager
def alone(opened: Opened, tenant: str) -> Iterator[Callable[[], None]]:
    """The lease on a tenant, kept until the block ends; gives what raises once it is lost. LeaseHeld if taken."""
    lease = opened.ledger.claim(tenant, SCOPE, lease_owner(), seconds=SECONDS)
    with keep_lease(opened.ledger, lease) as kept:
        yield kept.check


def run(opened: Opened, tenant: str, asked: Asked, *, stop: Callable[[], bool]) -> RunReport:
    """Bring a tenant from what is known of it to what was asked; the report."""
    with alone(opened, tenant) as check:
        return run_alone(opened, tenant, asked, stop=stop, check=check)


def run_alone(
    opened: Opened, tenant: str, asked: Asked, *, stop: Callable[[], bool], check: Callable[[], None]
) -> RunReport:
    """The run itself, for whoever holds the lease already."""
    started, tally = opened.clock.monotonic(), Tally(listen=opened.listen)
    run_id = uuid.uuid4().hex[:12]
    opened.ledger.start_run(tenant, run_id)
    steps: tuple[StepResult, ...] = ()
    outcome: Outcome = "failed"
    try:
        steps, outcome = _carried(opened, tenant, asked, stop=stop, check=check, tally=tally)
    finally:
        counts = {"rows": tally.rows, "kept": tally.kept, "quarantined": tally.quarantined, "requests": tally.requests}
        _note_findings(opened, tenant, tally.findings)
        said = {"done": "done", "partial": "partly", "failed": "failed"}[outcome]
        opened.ledger.end_run(tenant, run_id, outcome=said, counts=counts)  # type: ignore[arg-type]
    return RunReport(
        tenant=tenant,
        outcome=outcome,
        seconds=opened.clock.monotonic() - started,
        requests=tally.requests,
        rows=tally.rows,
        kept=tally.kept,
        quarantined=tally.quarantined,
        written=tally.written,
        findings=tuple(tally.findings),
        counts=tally.counts,
        steps=steps,
    )


def _carried(
    opened: Opened,
    tenant: str,
    asked: Asked,
    *,
    stop: Callable[[], bool],
    check: Callable[[], None],
    tally: Tally,
) -> tuple[tuple[StepResult, ...], Outcome]:
    sources = sources_of(opened, tenant)
    with ExitStack() as stack:
        warehouse = opened.warehouse(tenant)
        stack.callback(warehouse.close)
        ready_meta(warehouse)
        standing = standing_of(opened, warehouse) if _writes_history(asked) else Standing()
        _repeat_findings(opened, tenant, warehouse, listen=tally.told)
        lake = opened.owned_lake(tenant)
        check_writable(lake)
        clear_leftovers(opened, tenant, sources)
        patience = Patience(clock=opened.clock, stop=stop)
        clients, times, failed = connect(opened, tenant, asked, sources, stack, listen=tally.told, clock=patience)
        tally.requests += len(times)
        for finding in settle_clocks(opened.ledger, lake, filter(asked.picks, sources), times):
            tally.told(finding)
        began = opened.clock.monotonic()
        plan = plan_of(opened, tenant, asked, sources, times=times, standing=standing)
        if failed and not times and not any(isinstance(step, Land) and not step.after for step in plan.steps):
            # Nobody could be asked and nothing waits in raw: the run as a whole failed, and for this reason.
            raise next(iter(failed.values()))
        drop_reads(
            stale_reads(opened.ledger, tenant, sources, asked), ledger=opened.ledger, lake=lake, listen=tally.told
        )
        work = Work(
            opened=opened,
            tenant=tenant,
            sources=sources,
            clients=clients,
            unreachable=failed,
            times={name: agreed.now for name, agreed in times.items()},
            credible={name: agreed.credible for name, agreed in times.items()},
            newest=_newest_reads(opened, tenant, times),
            began=began,
            lake=lake,
            warehouse=warehouse,
            listen=tally.told,
            stop=stop,
            check=check,
            allow_drop=asked.allow_drop,
        )
        results = execute(plan, work.carry, tally.told)
        complete(opened, sources, plan, results, waiting=work.waiting)
        tally.counts = () if stop() else _counts(work, asked)
        trim(warehouse)
    refused = tuple(
        StepResult(step=f"connect:{name}", state="failed", detail=error.what, error=error)
        for name, error in failed.items()
    )
    wanted = [feed for feed in sources if asked.picks(feed) and feed.connection not in failed]
    outcome = outcome_of(plan, results, asked=wanted, findings=tally.findings)
    return (*refused, *results), "partial" if failed and outcome == "done" else outcome


def _newest_reads(opened: Opened, tenant: str, connections: Iterable[str]) -> dict[str, datetime]:
    """When the newest read of each connection began that anything was read of."""
    newest = {name: opened.ledger.find_newest_read(tenant, name) for name in connections}
    return {name: instant for name, instant in newest.items() if instant is not None}


def _counts(work: Work, asked: Asked) -> tuple[Counted, ...]:
    """What services have, held against what is here, where that is due."""
    if not asked.sources or not _writes_history(asked):
        return ()
    counting = Counting(
        opened=work.opened,
        tenant=work.tenant,
        clients=work.clients,
        times=work.times,
        lake=work.lake,
        warehouse=work.warehouse,
        listen=work.listen,
    )
    return shown_counts(counting.count(source for feed, source in work.sources.items() if asked.picks(feed)))


def _repeat_findings(opened: Opened, tenant: str, warehouse: Warehouse, *, listen: EventListener) -> None:
    """Say again what stands whatever the run does: notes of the warehouse, and secrets that lay open."""
    for note in warehouse.notes:
        listen(FindingMade(tenant=tenant, table="warehouse", finding=note, count=1))
    for row in opened.ledger.findings(tenant):
        if row.finding == CLEAR_SECRET_REMOVED:
            # It stays until the connection is added anew: the secret lay open, and has to be changed at the service.
            listen(FindingMade(tenant=tenant, table=row.table, finding=row.finding, count=row.count, detail=row.detail))


def plan_of(
    opened: Opened,
    tenant: str,
    asked: Asked,
    sources: Mapping[Feed, Source],
    *,
    times: Mapping[str, Agreed],
    standing: Standing,
) -> Plan:
    """What is to be done for a tenant."""
    now = {name: agreed.now for name, agreed in times.items()}
    request = RunRequest(
        source_times=now,
        connections=frozenset({asked.connection} if asked.connection else ()),
        resources=frozenset({asked.resource} if asked.resource else ()),
        layers=_layers(asked),
        since=asked.since,
        until=asked.until,
        force=asked.force,
        chunk=_chunk(asked),
    )
    state = without_stale(
        state_of(opened, tenant, sources, standing, now), stale_reads(opened.ledger, tenant, sources, asked)
    )
    return build_plan(build_dependencies(opened.declarations, opened.project.publish), state, request)


def connect(
    opened: Opened,
    tenant: str,
    asked: Asked,
    sources: Mapping[Feed, Source],
    stack: ExitStack,
    *,
    listen: EventListener = discard,
    clock: Clock | None = None,
) -> tuple[dict[str, Client], dict[str, Agreed], dict[str, HeadwaterError]]:
    """A client for each connection that is asked, the time agreed on with its service, and why others could not be asked."""
    clients: dict[str, Client] = {}
    times: dict[str, Agreed] = {}
    failed: dict[str, HeadwaterError] = {}
    if not asked.sources:
        return clients, times, failed
    budgets = RateLimiters()
    for name, connection in {feed.connection: source.connection for feed, source in sources.items()}.items():
        if asked.connection not in (None, name):
            continue
        try:
            client = client_of(opened, tenant, name, connection, budgets=budgets, listen=listen, clock=clock)
            sight = Sight(service=stack.enter_context(client).read_service_time(), machine=opened.clock.now())
            before = sight_of(opened.ledger.get_mark(tenant, mark_of(name)))
            asks = client.connector.clock is not None
            counts = "service" if client.simulated else connection.clock
            times[name] = agree(sight, before, counts=counts, asked=asks)
            clients[name] = client
        except (ServiceError, DeclarationError) as error:
            failed[name] = error
    return clients, times, failed


def complete(
    opened: Opened,
    sources: Mapping[Feed, Source],
    plan: Plan,
    results: Sequence[StepResult],
    *,
    waiting: Collection[str] = (),
) -> None:
    """Mark the batches `completed` that every entity they feed has taken in this run, unless their deletes wait."""
    done = {result.step for result in results if result.state == "done"}
    conformed = {step.entity for step in plan.steps if isinstance(step, Conform) and step.id in done}
    takers: dict[str, set[str]] = defaultdict(set)
    for entity in opened.declarations.entities.values():
        for source in entity.sources:
            takers[source].add(entity.entity)
    rows = opened.ledger.batches(plan.tenant, states=("transformed",))
    opened.ledger.complete_batches(
        [
            row.batch
            for row in rows
            if row.batch.feed in sources
            and row.batch.id not in waiting
            and (takes := takers[sources[row.batch.feed].name])
            and takes <= conformed
        ]
    )


def open_for_plan(opened: Opened, tenant: str, asked: Asked) -> Standing:
    """Where a tenant's warehouse stands; before its first run, nothing is there."""
    if not _writes_history(asked):
        return Standing()
    try:
        warehouse: Warehouse = opened.warehouse(tenant, read_only=True)
    except HeadwaterError:
        return Standing()
    try:
        return standing_of(opened, warehouse)
    finally:
        warehouse.close()


def _writes_history(asked: Asked) -> bool:
    return asked.layer in {None, "silver", "gold"}


def _layers(asked: Asked) -> frozenset[Layer]:
    upto = LAYERS[: LAYERS.index(asked.layer) + 1] if asked.layer else LAYERS
    wanted = frozenset(upto if asked.sources else upto[1:])
    return frozenset() if wanted == frozenset(LAYERS) else wanted


def _chunk(asked: Asked) -> timedelta | None:
    if not asked.chunk:
        return None
    try:
        return parse_span(asked.chunk)
    except ValueError as error:
        raise DeclarationError("This is no span of time.", where="--chunk", saw=asked.chunk, hint=str(error)) from error


def _note_findings(opened: Opened, tenant: str, findings: Sequence[Finding]) -> None:
    found: dict[str, list[FindingRow]] = defaultdict(list)
    for one in findings:
        found[one.table].append(FindingRow(table=one.table, finding=one.finding, count=one.count, detail=one.detail))
    for table, rows in found.items():
        opened.ledger.save_findings(tenant, table, rows)
