"""`run --all --queue`: puts one job a tenant that is due, the most overdue first."""

from __future__ import annotations

from headwater.run.fleet.fleet import list_matches
from headwater.run.fleet.request import FleetRequest, choose_tenants
from headwater.run.queue.job import TenantJob, build_job, rank_tenant, read_checkout
from headwater.run.queue.open import open_queue
from headwater.run.queue.results import QueueReport
from headwater.run.workspace import Workspace


def queue_fleet(workspace: Workspace, request: FleetRequest, *, environment: str = "") -> QueueReport:
    """Put a job for each requested tenant. DeclarationError if none matches the pattern."""
    everyone = list_matches(workspace, request)
    with open_queue(workspace, environment=environment, create=True) as queue:
        now, successes = queue.read_now(), workspace.ledger.list_last_successes()
        jobs = [
            build_job(
                TenantJob(tenant=tenant, request=request.run, due=request.due, timeout=request.timeout),
                rank=rank_tenant(successes.get(tenant), now=now),
            )
            for tenant in choose_tenants(everyone, successes, request, now=now)
        ]
        result = queue.put(read_checkout(workspace.root).name_queue(queue.scope), jobs)
    return QueueReport(queued=result.queued, waiting=result.waiting)
