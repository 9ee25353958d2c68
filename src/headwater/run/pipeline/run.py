"""A run from end to end: the lease, the services' time, the plan, its execution, the report."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

from headwater.batch import Feed
from headwater.clock import parse_span
from headwater.errors import Cancelled, DeclarationError, HeadwaterError, LeaseHeld
from headwater.events import EventListener, Finding, FindingMade
from headwater.gold.change_feed import prune_changes
from headwater.ledger.base import CLEAR_SECRET_REMOVED, Lease, RunOutcome
from headwater.ledger.heartbeat import SECONDS, keep_lease
from headwater.ledger.lease_owner import lease_owner
from headwater.plan.build import build_plan
from headwater.plan.dependencies import build_dependencies
from headwater.plan.state import LAYERS, Layer, RunRequest
from headwater.plan.step import Conform, Land, Plan
from headwater.run.pipeline.cleanup import check_writable, clear_leftovers
from headwater.run.pipeline.context import RunContext, never
from headwater.run.pipeline.executor import execute
from headwater.run.pipeline.interruptible_clock import Patience
from headwater.run.pipeline.options import Asked
from headwater.run.pipeline.record_counts import Counting, shown_counts
from headwater.run.pipeline.report import Tally, outcome_of
from headwater.run.pipeline.services import connect, find_newest_reads
from headwater.run.pipeline.source_clock import Agreed, settle_clocks
from headwater.run.pipeline.sources import Source, Standing, sources_of, standing_of, state_of
from headwater.run.pipeline.step_run import end_step_run
from headwater.run.pipeline.steps import Work
from headwater.run.pipeline.unfinished_reads import drop_reads, stale_reads, without_stale
from headwater.run.results import Counted, RunReport, StepResult
from headwater.run.workspace import TenantWorkspace
from headwater.silver.schema.migrate import create_meta_tables
from headwater.warehouse.base import Warehouse

SCOPE = "run"
"""What the lease of a run is on: a whole tenant, for its warehouse may know one writer only."""

_CLAIM_AGAIN = 0.25
"""Seconds between two tries for a lease that another one has."""


@contextmanager
def alone(
    workspace: TenantWorkspace, *, wait: float = 0.0, stop: Callable[[], bool] = never
) -> Iterator[Callable[[], None]]:
    """The lease on a tenant, kept until the block ends; gives what raises once it is lost.

    LeaseHeld if another one has it, and keeps it for longer than `wait` seconds.
    """
    with keep_lease(workspace.ledger, _claim(workspace, wait=wait, stop=stop)) as kept:
        yield kept.check


def _claim(workspace: TenantWorkspace, *, wait: float, stop: Callable[[], bool]) -> Lease:
    clock, owner = Patience(clock=workspace.clock, stop=stop), lease_owner()
    until = clock.monotonic() + wait
    while True:
        try:
            return workspace.ledger.claim(workspace.tenant, SCOPE, owner, seconds=SECONDS)
        except LeaseHeld:
            if clock.monotonic() >= until:
                raise
        clock.sleep(_CLAIM_AGAIN)


def run(workspace: TenantWorkspace, asked: Asked, *, stop: Callable[[], bool]) -> RunReport:
    """Bring a tenant from what is known of it to what was asked; the report."""
    with alone(workspace) as check:
        context = RunContext(listen=workspace.listen, stop=stop, check_lease=check, allow_drop=asked.allow_drop)
        return run_alone(workspace, asked, context)


def run_alone(workspace: TenantWorkspace, asked: Asked, context: RunContext) -> RunReport:
    """The run itself, for whoever holds the lease already."""
    started, tally = workspace.clock.monotonic(), Tally(listen=context.listen)
    run_id = uuid.uuid4().hex[:12]
    end_step_run(workspace.ledger, workspace.tenant)
    workspace.ledger.start_run(workspace.tenant, run_id)
    steps: tuple[StepResult, ...] = ()
    outcome = RunOutcome.FAILED
    try:
        steps, outcome = _carry_out(workspace, asked, replace(context, listen=tally.told), tally)
    except Cancelled:
        outcome = RunOutcome.CANCELLED
        raise
    finally:
        save_findings(workspace, tally.findings)
        workspace.ledger.end_run(workspace.tenant, run_id, outcome=outcome, counts=tally.numbers())
    return tally.report(workspace.tenant, outcome, workspace.clock.monotonic() - started, steps)


def _carry_out(
    workspace: TenantWorkspace, asked: Asked, context: RunContext, tally: Tally
) -> tuple[tuple[StepResult, ...], RunOutcome]:
    """Connect, plan and do the steps of the plan; what became of each, and of the run."""
    with ExitStack() as stack:
        work = _connected(workspace, asked, context, stack)
        tally.requests += len(work.services.times)
        plan = _planned(work, asked)
        results = execute(plan, work.carry, context.listen)
        complete(workspace, work.sources, plan, results, waiting=work.waiting)
        tally.counts = () if context.stop() or not _writes_history(asked) else count_records(work, asked)
        prune_changes(work.warehouse)
    return _outcome(work, asked, plan, results, tally)


def _connected(workspace: TenantWorkspace, asked: Asked, context: RunContext, stack: ExitStack) -> Work:
    """The tenant's warehouse, lake and services, ready for the steps of a run."""
    warehouse = workspace.warehouse()
    stack.callback(warehouse.close)
    create_meta_tables(warehouse)
    standing = standing_of(workspace, warehouse) if _writes_history(asked) else Standing()
    _repeat_findings(workspace, warehouse, listen=context.listen)
    lake, sources = workspace.owned_lake(), sources_of(workspace)
    check_writable(lake)
    clear_leftovers(workspace, sources)
    patience = Patience(clock=workspace.clock, stop=context.stop)
    services = connect(workspace, asked, sources, stack, listen=context.listen, clock=patience)
    for finding in settle_clocks(workspace.ledger, lake, filter(asked.picks, sources), services.times):
        context.listen(finding)
    # Only now: a read under a wrong clock does not count.
    services = replace(services, newest_reads=find_newest_reads(workspace, services.times))
    return Work(
        workspace=workspace,
        context=context,
        sources=sources,
        services=services,
        standing=standing,
        lake=lake,
        open_warehouse=lambda: warehouse,
        holds_nul=warehouse.capabilities.holds_nul,
    )


def _planned(work: Work, asked: Asked) -> Plan:
    """What is to be done. Raises why no service could be reached where nothing else is to be done."""
    workspace, services, sources = work.workspace, work.services, work.sources
    plan = plan_of(workspace, asked, sources, times=services.times, standing=work.standing)
    waits = any(isinstance(step, Land) and not step.after for step in plan.steps)
    if services.unreachable and not services.times and not waits:
        raise next(iter(services.unreachable.values()))
    stale = stale_reads(workspace.ledger, workspace.tenant, sources, asked)
    drop_reads(stale, ledger=workspace.ledger, lake=work.lake, listen=work.context.listen)
    return plan


def _outcome(
    work: Work, asked: Asked, plan: Plan, results: Sequence[StepResult], tally: Tally
) -> tuple[tuple[StepResult, ...], RunOutcome]:
    unreachable = work.services.unreachable
    refused = tuple(
        StepResult(step=f"connect:{name}", state="failed", detail=error.message, error=error)
        for name, error in unreachable.items()
    )
    wanted = [feed for feed in work.sources if asked.picks(feed) and feed.connection not in unreachable]
    outcome = outcome_of(plan, results, asked=wanted, findings=tally.findings)
    if unreachable and outcome is RunOutcome.SUCCEEDED:
        outcome = RunOutcome.PARTIAL
    return (*refused, *results), outcome


def count_records(work: Work, asked: Asked) -> tuple[Counted, ...]:
    """What services have, held against what is here, where that is due."""
    if not asked.sources:
        return ()
    counting = Counting(
        workspace=work.workspace,
        clients=work.services.clients,
        times=work.services.now,
        lake=work.lake,
        warehouse=work.warehouse,
        listen=work.context.listen,
    )
    return shown_counts(counting.count(source for feed, source in work.sources.items() if asked.picks(feed)))


def _repeat_findings(workspace: TenantWorkspace, warehouse: Warehouse, *, listen: EventListener) -> None:
    """Say again what stands whatever the run does: notes of the warehouse, and secrets that lay open."""
    for note in warehouse.notes:
        finding = Finding(table="warehouse", finding="warehouse_note", count=1, detail=note)
        listen(FindingMade(tenant=workspace.tenant, finding=finding))
    for finding in workspace.ledger.findings(workspace.tenant):
        if finding.finding == CLEAR_SECRET_REMOVED:
            # It stays until the connection is added anew: the secret lay open, and has to be changed at the service.
            listen(FindingMade(tenant=workspace.tenant, finding=finding))


def plan_of(
    workspace: TenantWorkspace,
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
        state_of(workspace, sources, standing, now), stale_reads(workspace.ledger, workspace.tenant, sources, asked)
    )
    return build_plan(build_dependencies(workspace.declarations, workspace.project.publish), state, request)


def complete(
    workspace: TenantWorkspace,
    sources: Mapping[Feed, Source],
    plan: Plan,
    results: Sequence[StepResult],
    *,
    waiting: Collection[str] = (),
) -> None:
    """Mark the batches `completed` that every entity they feed has taken in this run, unless their deletes wait."""
    done = {result.step for result in results if result.state == "succeeded"}
    conformed = {step.entity for step in plan.steps if isinstance(step, Conform) and step.id in done}
    takers: dict[str, set[str]] = defaultdict(set)
    for entity in workspace.declarations.entities.values():
        for source in entity.sources:
            takers[source].add(entity.entity)
    rows = workspace.ledger.batches(plan.tenant, states=("transformed",))
    workspace.ledger.complete_batches(
        [
            row.batch
            for row in rows
            if row.batch.feed in sources
            and row.batch.id not in waiting
            and (takes := takers[sources[row.batch.feed].name])
            and takes <= conformed
        ]
    )


def open_for_plan(workspace: TenantWorkspace, asked: Asked) -> Standing:
    """Where a tenant's warehouse stands; before its first run, nothing is there."""
    if not _writes_history(asked):
        return Standing()
    try:
        warehouse: Warehouse = workspace.warehouse(read_only=True)
    except HeadwaterError:
        return Standing()
    try:
        return standing_of(workspace, warehouse)
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
        raise DeclarationError(
            "The time span is empty.", where="--chunk", details=asked.chunk, hint=str(error)
        ) from error


def save_findings(workspace: TenantWorkspace, findings: Sequence[Finding]) -> None:
    """Remember what a run found in the data, by table."""
    by_table: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_table[finding.table].append(finding)
    for table, rows in by_table.items():
        workspace.ledger.save_findings(workspace.tenant, table, rows)
