"""Executes one step of a plan in its own process, for an orchestrator. Takes the tenant's lease, like a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import cache

from headwater.batch import Batch, Feed
from headwater.errors import HeadwaterError
from headwater.events import FindingMade
from headwater.gold.change_feed import prune_changes
from headwater.ledger.base import Ledger, RunOutcome
from headwater.plan.state import RunRequest
from headwater.plan.step import BuildDimension, Conform, Extract, Land, LoadFact, Plan, Step
from headwater.run.pipeline.cleanup import check_writable, clear_leftovers
from headwater.run.pipeline.context import RunContext, never_stop
from headwater.run.pipeline.executor import execute
from headwater.run.pipeline.inputs import list_landed
from headwater.run.pipeline.interruptible_clock import InterruptibleClock
from headwater.run.pipeline.publication_marks import mark_readers_unpublished, restore_marks
from headwater.run.pipeline.report import UNFINISHED, RunCounts
from headwater.run.pipeline.run import count_records, lock_tenant, save_findings
from headwater.run.pipeline.services import Services, connect, find_newest_reads
from headwater.run.pipeline.source_clock import record_clocks
from headwater.run.pipeline.sources import Source, load_sources
from headwater.run.pipeline.step_order import check_dependencies, check_newest, check_tables, is_done
from headwater.run.pipeline.step_request import StepRequest, check_declared
from headwater.run.pipeline.step_run import StepRun, end_step_run, load_step_run, save_step_run
from headwater.run.pipeline.steps import StepRunner
from headwater.run.pipeline.unfinished_reads import drop_reads, find_stale_reads
from headwater.run.plugins import find_capabilities
from headwater.run.results import STOPPED, RunReport, StepResult
from headwater.run.selection import find_outdated_selections
from headwater.run.workspace import TenantWorkspace
from headwater.silver.consumed_batches import load_consumed
from headwater.silver.schema.diff import decide_schemas
from headwater.silver.schema.migrate import create_meta_tables
from headwater.warehouse.base import Warehouse

ALREADY_DONE = "done already; nothing to do"
"""The summary of a step that was already done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOptions:
    """The options for one step."""

    wait: float = 0.0
    """Seconds to wait while another process holds the tenant's lease."""
    allow_drop: bool = False
    """Apply deletes even if a sweep finds more than `max_drop` allows."""
    stop: Callable[[], bool] = never_stop
    """Whether a stop was requested."""


def execute_step(workspace: TenantWorkspace, request: StepRequest, options: StepOptions) -> RunReport:
    """Execute one step, and return its report. LeaseHeld if another run works on the tenant, StepNotReady if it is too early."""
    with lock_tenant(workspace, wait=options.wait, stop=options.stop) as check:
        context = RunContext(
            listen=workspace.listen, stop=options.stop, check_lease=check, allow_drop=options.allow_drop
        )
        return _SingleStep(workspace, request, context).run()


class _SingleStep:
    """One step. The caller must hold the lease."""

    def __init__(self, workspace: TenantWorkspace, request: StepRequest, context: RunContext) -> None:
        self.workspace = workspace
        self.request = request
        self.step: Step = request.step
        self.counts = RunCounts(listen=context.listen)
        self.context = replace(context, listen=self.counts.on_event)
        self.sources = load_sources(workspace)
        self.step_run = _choose_run(workspace.ledger, request)

    def run(self) -> RunReport:
        """Execute the step unless it was already done, and record how it ended."""
        workspace, started = self.workspace, self.workspace.clock.monotonic()
        check_declared(workspace, self.sources, self.step)
        result = StepResult(step=self.step.id, state="succeeded", detail=ALREADY_DONE)
        if not is_done(workspace.ledger, self.request):
            check_newest(workspace.ledger, self.request)
            check_dependencies(workspace.ledger, self.step_run, self.request)
            result = self._perform()
        self._record(done=result.state == "succeeded", failed=result.state == "failed")
        return self.counts.build_report(
            workspace.tenant, self._decide_outcome(result), workspace.clock.monotonic() - started, (result,)
        )

    def _perform(self) -> StepResult:
        try:
            with ExitStack() as stack:
                runner = self._open(stack)
                plan = Plan(
                    tenant=self.workspace.tenant, steps=(replace(_decide_rebuild(runner, self.step), after=()),)
                )
                marks = mark_readers_unpublished(self.workspace.ledger, self.workspace.project.publish, self.step)
                (result,) = execute(plan, runner.run_step, self.context.listen)
                runner.finish()
                if result.state == "succeeded":
                    if not self.counts.written:
                        restore_marks(self.workspace.ledger, self.workspace.tenant, marks)
                    self._finish(runner, stack)
                return result
        except HeadwaterError:
            if self.step_run.active:
                self._record(done=False, failed=True)
            raise

    def _open(self, stack: ExitStack) -> StepRunner:
        """Open the lake, the warehouse and the services of the tenant, as far as the step needs them."""
        workspace = self.workspace
        open_warehouse = cache(lambda: _open_warehouse(workspace, stack))
        writes_tables = not isinstance(self.step, Extract | Land)
        if writes_tables and self.request.by_id:
            check_tables(workspace, self.step, open_warehouse(), self.sources)
        self._begin()
        lake = workspace.open_owned_lake()
        runner = StepRunner(
            workspace=workspace,
            context=self.context,
            sources=self.sources,
            services=Services(clock=workspace.clock),
            lake=lake,
            open_warehouse=open_warehouse,
            holds_nul=find_capabilities(workspace.parent.warehouse_settings).holds_nul,
        )
        if writes_tables:
            open_warehouse()
        else:
            check_writable(lake)
        return replace(runner, services=self._connect(runner, self._list_feeds_to_read(runner), stack))

    def _begin(self) -> None:
        """Begin the run of the step unless it has begun, and clean up after a killed process."""
        workspace, run = self.workspace, self.step_run
        previous = load_step_run(workspace.ledger, workspace.tenant)
        is_new = previous is None or previous.id != run.id
        if is_new:
            end_step_run(workspace.ledger, workspace.tenant)
            workspace.ledger.start_run(workspace.tenant, run.id)
            clear_leftovers(workspace, self.sources)
        elif run.active:
            clear_leftovers(workspace, self.sources, killed=True)
        run.active = self.step.id
        save_step_run(workspace.ledger, workspace.tenant, run)

    def _list_feeds_to_read(self, runner: StepRunner) -> dict[Feed, Source]:
        """The feeds whose services the step needs: the feed that it reads, or feeds with complete reads that it may verify."""
        match self.step:
            case Extract():
                return {self.step.batch.feed: self.sources[self.step.batch.feed]}
            case Conform():
                entity = self.workspace.declarations.entities[self.step.entity]
                consumed = load_consumed(runner.warehouse, entity.entity)
                landed = list_landed(self.workspace.ledger, runner.lake, self.sources, entity, consumed=consumed)
                began = self.step_run.connected_at
                feeds = [
                    batch.batch.feed
                    for batch in landed
                    if batch.is_complete and batch.read_at >= began.get(batch.batch.feed.connection, batch.read_at)
                ]
                return {feed: self.sources[feed] for feed in feeds if feed.connection in began}
        return {}

    def _connect(self, runner: StepRunner, feeds: Mapping[Feed, Source], stack: ExitStack) -> Services:
        """Connect to the services of these feeds. If one cannot be reached, raise its error."""
        workspace, listen, run = self.workspace, self.context.listen, self.step_run
        clock = InterruptibleClock(clock=workspace.clock, stop=self.context.stop)
        services = connect(workspace, RunRequest(), feeds, stack, listen=listen, clock=clock)
        for error in services.unreachable.values():
            raise error
        for feed in feeds if isinstance(self.step, Extract) else ():
            for finding in record_clocks(workspace.ledger, runner.lake, [feed], services.times):
                listen(finding)
            feed_request = RunRequest(connections=frozenset({feed.connection}), resources=frozenset({feed.resource}))
            for outdated in find_outdated_selections(workspace.ledger, workspace.tenant, feeds, feed_request):
                listen(FindingMade(tenant=workspace.tenant, finding=outdated))
            stale = find_stale_reads(workspace.ledger, workspace.tenant, self.sources, feed_request)
            drop_reads(stale, ledger=workspace.ledger, lake=runner.lake, listen=listen)
        for name, instant in services.now.items():
            run.connected_at.setdefault(name, instant)
        save_step_run(workspace.ledger, workspace.tenant, run)
        newest = find_newest_reads(workspace, services.times)
        return replace(services, newest_reads=newest, first_connected=dict(run.connected_at))

    def _finish(self, runner: StepRunner, stack: ExitStack) -> None:
        """What a run does after its steps, if this step is the last one that it needs."""
        match self.step:
            case Conform():
                complete_consumed(runner, self.step.entity)
            case BuildDimension() | LoadFact():
                prune_changes(runner.warehouse)
            case _:
                pass
        if self._is_last and not self.context.stop():
            self._count_records(runner, stack)

    @property
    def _is_last(self) -> bool:
        """Whether all other steps of the run are done."""
        return not self.request.by_id and len(self.step_run.done | {self.step.id}) >= self.step_run.total

    def _count_records(self, runner: StepRunner, stack: ExitStack) -> None:
        """Compare the record counts of the services of the run with the warehouse, where a count is due."""
        feeds = {feed: source for feed, source in self.sources.items() if feed.connection in self.step_run.connected_at}
        services = connect(self.workspace, RunRequest(), feeds, stack, listen=self.context.listen)
        self.counts.counts = count_records(replace(runner, services=services, sources=feeds), RunRequest())

    def _record(self, *, done: bool, failed: bool) -> None:
        """Record how the step ended. The run ends with its last step."""
        ledger, run, tenant = self.workspace.ledger, self.step_run, self.workspace.tenant
        save_findings(self.workspace, self.counts.findings)
        run.counts.update(self.counts.as_dict())
        run.incomplete |= self._is_incomplete
        joined = self.request.by_id and not run.by_id
        if (done or failed) and not joined:
            run.record(self.step.id, done=done)
        run.active = ""
        save_step_run(ledger, tenant, run)
        if run.is_complete or run.by_id:
            end_step_run(ledger, tenant, run)

    @property
    def _is_incomplete(self) -> bool:
        return any(finding.finding in UNFINISHED for finding in self.counts.findings)

    def _decide_outcome(self, result: StepResult) -> RunOutcome:
        if result.state != "succeeded":
            return RunOutcome.CANCELLED if result.detail == STOPPED else RunOutcome.FAILED
        return RunOutcome.PARTIAL if self._is_incomplete else RunOutcome.SUCCEEDED


def complete_consumed(runner: StepRunner, entity: str) -> None:
    """Mark batches `completed` that all their entities have consumed. Not if their deletes wait."""
    workspace, entities = runner.workspace, runner.workspace.declarations.entities
    sources = entities[entity].sources
    consumers = {name: item.sources for name, item in entities.items() if item.sources.keys() & sources.keys()}
    consumed = {name: load_consumed(runner.warehouse, name) for name in consumers}

    def is_taken(batch: Batch, source: str) -> bool:
        verdicts = [consumed[name].get(batch.id) for name, fed in consumers.items() if source in fed]
        return all(one is not None and one.verdict != "waiting" for one in verdicts)

    rows = workspace.ledger.list_batches(workspace.tenant, states=("transformed",))
    batches = [(row.batch, runner.sources[row.batch.feed].name) for row in rows if row.batch.feed in runner.sources]
    workspace.ledger.complete_batches(
        [batch for batch, source in batches if source in sources and is_taken(batch, source)]
    )


def _choose_run(ledger: Ledger, request: StepRequest) -> StepRun:
    """The run that a step belongs to: that of its plan. For a step by id alone: the run in progress, or a new one."""
    run = StepRun(id=request.run, total=request.total, by_id=request.by_id)
    previous = load_step_run(ledger, request.step.tenant)
    if previous is None:
        return run
    if previous.id == request.run or (request.by_id and not previous.ended):
        return previous
    if request.by_id and previous.by_id:
        # A complete read of an earlier step is still verified.
        run.connected_at = previous.connected_at
    return run


def _decide_rebuild(runner: StepRunner, step: Step) -> Step:
    """The step with the current decision about a rebuild, which depends on the stored tables.

    DeclarationErrors if the entity of the step waits for a decision. Those of other entities do not matter here.
    """
    if not isinstance(step, Conform):
        return step
    entity = runner.workspace.declarations.entities[step.entity]
    decision = decide_schemas(runner.warehouse, [entity]).get(step.entity)
    return replace(step, rebuild_reason=decision.why if decision is not None and decision.rebuild else "")


def _open_warehouse(workspace: TenantWorkspace, stack: ExitStack) -> Warehouse:
    warehouse = stack.enter_context(closing(workspace.open_warehouse()))
    create_meta_tables(warehouse)
    return warehouse
