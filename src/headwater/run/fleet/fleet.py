"""`run --all`: brings the tenants of a project up to date, the most overdue first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from headwater.errors import DeclarationError
from headwater.ledger.base import Ledger, RunOutcome
from headwater.run.fleet.pool import WorkerPool
from headwater.run.fleet.report import FleetReport, TenantResult
from headwater.run.fleet.request import FleetRequest, choose_tenants
from headwater.run.fleet.tenant_run import run_tenant
from headwater.run.fleet.worker import TenantTask, WorkerSettings
from headwater.run.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetProgress:
    """How far a fleet run is, after a tenant has ended."""

    done: int
    total: int
    newest: TenantResult


ProgressListener = Callable[[FleetProgress], None]


def run_fleet(
    workspace: Workspace,
    request: FleetRequest,
    *,
    environment: str = "",
    stop: Callable[[], bool],
    listen: ProgressListener,
) -> FleetReport:
    """Run the requested tenants, and return their results. DeclarationError if none matches the pattern."""
    started = workspace.clock.monotonic()
    successes = workspace.ledger.list_last_successes()
    tenants = choose_tenants(list_matches(workspace, request), successes, request, now=workspace.clock.now())
    results: list[TenantResult] = []
    for result in _run_tenants(workspace, request, tenants, environment=environment, stop=stop):
        if result.outcome in ("crashed", "timed_out"):
            record_crash(workspace.ledger, result.tenant)
        results.append(result)
        listen(FleetProgress(done=len(results), total=len(tenants), newest=result))
    ended = {result.tenant for result in results}
    results += [TenantResult(tenant=tenant, outcome="not_started") for tenant in tenants if tenant not in ended]
    return FleetReport(seconds=workspace.clock.monotonic() - started, tenants=tuple(results))


def list_matches(workspace: Workspace, request: FleetRequest) -> tuple[str, ...]:
    """The tenants whose name matches the pattern of a request. DeclarationError if there is none."""
    names = workspace.list_tenants()
    workspace.check_isolation()
    everyone = choose_tenants(names, {}, FleetRequest(pattern=request.pattern), now=workspace.clock.now())
    if not everyone:
        raise DeclarationError(
            "No tenant matches.",
            where="--tenant-pattern",
            details=f"`{request.pattern}`, {len(names)} tenants",
            hint="`headwater tenant list` lists the tenants",
        )
    return everyone


def _run_tenants(
    workspace: Workspace,
    request: FleetRequest,
    tenants: Sequence[str],
    *,
    environment: str,
    stop: Callable[[], bool],
) -> Iterator[TenantResult]:
    if not request.is_in_process:
        settings = WorkerSettings(root=workspace.root, environment=environment)
        tasks = [TenantTask(tenant=tenant, request=request.run, timeout=request.timeout) for tenant in tenants]
        yield from WorkerPool(settings, jobs=request.jobs, clock=workspace.clock).run(tasks, stop=stop)
        return
    for tenant in tenants:
        if stop():
            return
        yield run_tenant(workspace, tenant, request.run, stop=stop)


def record_crash(ledger: Ledger, tenant: str) -> None:
    """Record the end of a run whose process died, so that `status` does not call it running until the next run."""
    newest = next(iter(ledger.list_runs(tenant, limit=1)), None)
    if newest is not None and newest.outcome is None and not ledger.list_leases(tenant):
        ledger.end_run(tenant, newest.id, outcome=RunOutcome.CRASHED, counts={})
