"""`run`: takes the lease, connects to the services, plans, executes the plan, and builds the report."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from headwater.batch import Feed
from headwater.errors import Cancelled, HeadwaterError, LeaseHeld
from headwater.events import EventListener, Finding, FindingMade
from headwater.gold.change_feed import prune_changes
from headwater.ledger.base import CLEAR_SECRET_REMOVED, Lease, RunOutcome
from headwater.ledger.heartbeat import SECONDS, keep_lease
from headwater.ledger.lease_owner import build_lease_owner
from headwater.plan.build import build_plan
from headwater.plan.dependencies import build_dependencies
from headwater.plan.state import RunRequest
from headwater.plan.step import Conform, Extract, Land, Plan, Publish
from headwater.run.pipeline.cleanup import check_writable, clear_leftovers
from headwater.run.pipeline.context import RunContext, never_stop
from headwater.run.pipeline.executor import execute
from headwater.run.pipeline.interruptible_clock import InterruptibleClock
from headwater.run.pipeline.publication_marks import mark_unpublished
from headwater.run.pipeline.record_counts import RecordCounter, to_record_counts
from headwater.run.pipeline.report import RunCounts, decide_outcome
from headwater.run.pipeline.services import connect, find_newest_reads
from headwater.run.pipeline.source_clock import AgreedTime, record_clocks
from headwater.run.pipeline.sources import Source, WarehouseState, load_sources, load_state, read_warehouse_state
from headwater.run.pipeline.step_run import end_step_run
from headwater.run.pipeline.steps import StepRunner
from headwater.run.pipeline.unfinished_reads import drop_reads, find_stale_reads, remove_stale
from headwater.run.results import RecordCount, RunReport, StepResult
from headwater.run.selection import find_outdated_selections, settle_selections
from headwater.run.workspace import TenantWorkspace
from headwater.silver.schema.migrate import create_meta_tables
from headwater.warehouse.base import Warehouse

SCOPE = "run"
"""The scope of the lease of a run: the whole tenant, because some warehouses allow only one writer."""

_CLAIM_AGAIN = 0.25
"""Seconds between two attempts to claim a lease that another process holds."""


@contextmanager
def lock_tenant(
    workspace: TenantWorkspace, *, wait: float = 0.0, stop: Callable[[], bool] = never_stop
) -> Iterator[Callable[[], None]]:
    """Hold the lease on a tenant until the block ends. Yields a function that raises StateError if the lease was lost.

    LeaseHeld if another process holds it for longer than `wait` seconds.
    """
    with keep_lease(workspace.ledger, _claim_lease(workspace, wait=wait, stop=stop)) as heartbeat:
        yield heartbeat.check


def _claim_lease(workspace: TenantWorkspace, *, wait: float, stop: Callable[[], bool]) -> Lease:
    clock, owner = InterruptibleClock(clock=workspace.clock, stop=stop), build_lease_owner()
    until = clock.monotonic() + wait
    while True:
        try:
            return workspace.ledger.claim(workspace.tenant, SCOPE, owner, seconds=SECONDS)
        except LeaseHeld:
            if clock.monotonic() >= until:
                raise
        clock.sleep(_CLAIM_AGAIN)


def run(workspace: TenantWorkspace, request: RunRequest, *, stop: Callable[[], bool]) -> RunReport:
    """Execute a run for a tenant, and return its report. LeaseHeld if another run works on the tenant."""
    with lock_tenant(workspace) as check:
        context = RunContext(listen=workspace.listen, stop=stop, check_lease=check, allow_drop=request.allow_drop)
        return run_locked(workspace, request, context)


def run_locked(workspace: TenantWorkspace, request: RunRequest, context: RunContext) -> RunReport:
    """Execute a run. The caller must hold the lease."""
    started, counts = workspace.clock.monotonic(), RunCounts(listen=context.listen)
    run_id = uuid.uuid4().hex[:12]
    end_step_run(workspace.ledger, workspace.tenant)
    workspace.ledger.start_run(workspace.tenant, run_id)
    steps: tuple[StepResult, ...] = ()
    outcome = RunOutcome.FAILED
    try:
        steps, outcome = _execute(workspace, request, replace(context, listen=counts.on_event), counts)
    except Cancelled:
        outcome = RunOutcome.CANCELLED
        raise
    finally:
        save_findings(workspace, counts.findings)
        workspace.ledger.end_run(workspace.tenant, run_id, outcome=outcome, counts=counts.as_dict())
    return counts.build_report(workspace.tenant, outcome, workspace.clock.monotonic() - started, steps)


def _execute(
    workspace: TenantWorkspace, request: RunRequest, context: RunContext, counts: RunCounts
) -> tuple[tuple[StepResult, ...], RunOutcome]:
    """Connect, plan and execute the plan. Returns the results of the steps and the outcome of the run."""
    with ExitStack() as stack:
        runner = _connect(workspace, request, context, stack)
        plan = _plan(runner, request)
        counts.notes = plan.notes
        for step in plan.steps:
            if isinstance(step, Publish):
                # A process that is killed after a table changed must not leave the publication as it was.
                mark_unpublished(workspace.ledger, workspace.tenant, step.name)
        results = execute(plan, runner.run_step, context.listen)
        runner.finish()
        settle_selections(workspace.ledger, workspace.tenant, runner.sources, request, _list_read(plan, results))
        complete_batches(workspace, runner.sources, plan, results, waiting=runner.waiting)
        counts.counts = () if context.stop() or not _is_history_requested(request) else count_records(runner, request)
        prune_changes(runner.warehouse)
    return _decide_outcome(runner, request, plan, results, counts)


def _connect(workspace: TenantWorkspace, request: RunRequest, context: RunContext, stack: ExitStack) -> StepRunner:
    """Open the warehouse, the lake and the services of the tenant for the steps of a run."""
    warehouse = workspace.open_warehouse()
    stack.callback(warehouse.close)
    create_meta_tables(warehouse)
    warehouse_state = read_warehouse_state(workspace, warehouse) if _is_history_requested(request) else WarehouseState()
    _repeat_findings(workspace, warehouse, listen=context.listen)
    lake, sources = workspace.open_owned_lake(), load_sources(workspace)
    check_writable(lake)
    clear_leftovers(workspace, sources)
    clock = InterruptibleClock(clock=workspace.clock, stop=context.stop)
    services = connect(workspace, request, sources, stack, listen=context.listen, clock=clock)
    for finding in record_clocks(workspace.ledger, lake, filter(request.includes, sources), services.times):
        context.listen(finding)
    if request.includes_layer("raw"):
        for outdated in find_outdated_selections(workspace.ledger, workspace.tenant, sources, request):
            context.listen(FindingMade(tenant=workspace.tenant, finding=outdated))
    # Only after `record_clocks`, because a read under a wrong clock does not count.
    services = replace(services, newest_reads=find_newest_reads(workspace, services.times))
    return StepRunner(
        workspace=workspace,
        context=context,
        sources=sources,
        services=services,
        warehouse_state=warehouse_state,
        lake=lake,
        open_warehouse=lambda: warehouse,
        holds_nul=warehouse.capabilities.holds_nul,
    )


def _plan(runner: StepRunner, request: RunRequest) -> Plan:
    """Plan the steps. If no service could be reached and nothing else is to do, raise the error of the service."""
    workspace, services, sources = runner.workspace, runner.services, runner.sources
    plan = plan_run(workspace, request, sources, times=services.times, warehouse_state=runner.warehouse_state)
    has_unlanded = any(isinstance(step, Land) and not step.after for step in plan.steps)
    if services.unreachable and not services.times and not has_unlanded:
        raise next(iter(services.unreachable.values()))
    stale = find_stale_reads(workspace.ledger, workspace.tenant, sources, request)
    drop_reads(stale, ledger=workspace.ledger, lake=runner.lake, listen=runner.context.listen)
    return plan


def _list_read(plan: Plan, results: Sequence[StepResult]) -> set[Feed]:
    """The feeds whose planned windows were all read."""
    succeeded = {result.step for result in results if result.state == "succeeded"}
    reads = [step for step in plan.steps if isinstance(step, Extract) and step.batch.purpose == "changes"]
    return {step.batch.feed for step in reads} - {step.batch.feed for step in reads if step.id not in succeeded}


def _decide_outcome(
    runner: StepRunner, request: RunRequest, plan: Plan, results: Sequence[StepResult], counts: RunCounts
) -> tuple[tuple[StepResult, ...], RunOutcome]:
    unreachable = runner.services.unreachable
    failures = tuple(
        StepResult(step=f"connect:{name}", state="failed", detail=error.message, error=error)
        for name, error in unreachable.items()
    )
    reachable = [feed for feed in runner.sources if request.includes(feed) and feed.connection not in unreachable]
    outcome = decide_outcome(plan, results, requested=reachable, findings=counts.findings)
    if unreachable and outcome is RunOutcome.SUCCEEDED:
        outcome = RunOutcome.PARTIAL
    return (*failures, *results), outcome


def count_records(runner: StepRunner, request: RunRequest) -> tuple[RecordCount, ...]:
    """Compare the record counts of the services with the warehouse, where a count is due."""
    if not request.includes_layer("raw"):
        return ()
    counter = RecordCounter(
        workspace=runner.workspace,
        clients=runner.services.clients,
        times=runner.services.now,
        lake=runner.lake,
        warehouse=runner.warehouse,
        listen=runner.context.listen,
    )
    return to_record_counts(counter.count(source for feed, source in runner.sources.items() if request.includes(feed)))


def _repeat_findings(workspace: TenantWorkspace, warehouse: Warehouse, *, listen: EventListener) -> None:
    """Repeat persistent findings: notes of the warehouse, and secrets that were stored in clear text."""
    for note in warehouse.notes:
        finding = Finding(table="warehouse", finding="warehouse_note", count=1, detail=note)
        listen(FindingMade(tenant=workspace.tenant, finding=finding))
    for finding in workspace.ledger.list_findings(workspace.tenant):
        if finding.finding == CLEAR_SECRET_REMOVED:
            # It stays until the connection is added again, because the exposed secret must be changed at the service.
            listen(FindingMade(tenant=workspace.tenant, finding=finding))


def plan_run(
    workspace: TenantWorkspace,
    request: RunRequest,
    sources: Mapping[Feed, Source],
    *,
    times: Mapping[str, AgreedTime],
    warehouse_state: WarehouseState,
) -> Plan:
    """Plan a run for a tenant."""
    now = {name: agreed.now for name, agreed in times.items()}
    request = replace(request, source_times=now)
    state = remove_stale(
        load_state(workspace, sources, warehouse_state, now),
        find_stale_reads(workspace.ledger, workspace.tenant, sources, request),
    )
    return build_plan(build_dependencies(workspace.declarations, workspace.project.publish), state, request)


def complete_batches(
    workspace: TenantWorkspace,
    sources: Mapping[Feed, Source],
    plan: Plan,
    results: Sequence[StepResult],
    *,
    waiting: Collection[str] = (),
) -> None:
    """Mark batches `completed` that all their entities have consumed in this run. Not if their deletes wait."""
    succeeded = {result.step for result in results if result.state == "succeeded"}
    conformed = {step.entity for step in plan.steps if isinstance(step, Conform) and step.id in succeeded}
    consumers: dict[str, set[str]] = defaultdict(set)
    for entity in workspace.declarations.entities.values():
        for source in entity.sources:
            consumers[source].add(entity.entity)
    rows = workspace.ledger.list_batches(plan.tenant, states=("transformed",))
    workspace.ledger.complete_batches(
        [
            row.batch
            for row in rows
            if row.batch.feed in sources
            and row.batch.id not in waiting
            and (entities := consumers[sources[row.batch.feed].name])
            and entities <= conformed
        ]
    )


def find_warehouse_state(workspace: TenantWorkspace, request: RunRequest) -> WarehouseState:
    """The state of a tenant's warehouse; empty before the first run."""
    if not _is_history_requested(request):
        return WarehouseState()
    try:
        warehouse: Warehouse = workspace.open_warehouse(read_only=True)
    except HeadwaterError:
        return WarehouseState()
    try:
        return read_warehouse_state(workspace, warehouse)
    finally:
        warehouse.close()


def _is_history_requested(request: RunRequest) -> bool:
    return request.includes_layer("silver")


def save_findings(workspace: TenantWorkspace, findings: Sequence[Finding]) -> None:
    """Save the findings of a run, by table."""
    by_table: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_table[finding.table].append(finding)
    for table, rows in by_table.items():
        workspace.ledger.save_findings(workspace.tenant, table, rows)
