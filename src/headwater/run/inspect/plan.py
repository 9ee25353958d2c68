"""`plan`: what a run would do now, as a value and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from headwater.batch import Feed
from headwater.plan.request_estimate import describe_recent, describe_requests, estimate_requests
from headwater.plan.state import FeedState, RunRequest
from headwater.plan.step import Extract, Plan
from headwater.run.pipeline.run import find_warehouse_state, plan_run
from headwater.run.pipeline.services import connect
from headwater.run.pipeline.sources import Source, load_feed_state, load_sources
from headwater.run.pipeline.step_order import find_newest_run
from headwater.run.pipeline.step_request import describe_plan
from headwater.run.workspace import TenantWorkspace


def plan(workspace: TenantWorkspace, request: RunRequest) -> Plan:
    """Plan a run. Requests only the time of each service, and writes nothing."""
    sources, warehouse_state = load_sources(workspace), find_warehouse_state(workspace, request)
    with ExitStack() as stack:
        services = connect(workspace, request, sources, stack)
    if services.unreachable and not services.times:
        raise next(iter(services.unreachable.values()))
    planned = plan_run(workspace, request, sources, times=services.times, warehouse_state=warehouse_state)
    feeds = {feed: load_feed_state(workspace.ledger, source, ()) for feed, source in sources.items()}
    request = replace(request, source_times={name: agreed.now for name, agreed in services.times.items()})
    recent = describe_recent((state for feed, state in feeds.items() if request.includes(feed)), request)
    requests = _describe_requests(workspace, planned, sources, feeds)
    return replace(planned, notes=(*planned.notes, *recent, *requests))


def _describe_requests(
    workspace: TenantWorkspace, planned: Plan, sources: Mapping[Feed, Source], feeds: Mapping[Feed, FeedState]
) -> Iterator[str]:
    """A note about the requests to each service."""
    ledger = workspace.ledger
    reads = [step for step in planned.steps if isinstance(step, Extract)]
    rows: dict[str, int] = {}
    for read in reads:
        previous = ledger.find_latest(read.batch.feed, purpose=read.batch.purpose)
        if read.batch.purpose != "changes" and previous is not None:
            row = ledger.find_batch(workspace.tenant, previous.id)
            rows[read.batch.id] = row.rows if row else 1
    for name, requests in sorted(estimate_requests(reads, feeds, rows).items()):
        source = next(source for feed, source in sources.items() if feed.connection == name)
        limits = source.connection.limits or source.plugin.connector.limits
        yield describe_requests(name, requests, per_minute=limits.requests_per_minute)


def dump_plan(workspace: TenantWorkspace, planned: Plan) -> dict[str, Any]:
    """A plan as a JSON object. Each dump is a run of its own, whose steps `run_step` executes one by one."""
    return describe_plan(planned, previous=find_newest_run(workspace.ledger, workspace.tenant))
