"""`plan`: what a run would do now, as a value and as JSON."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from headwater.plan.state import RunRequest
from headwater.plan.step import Plan
from headwater.run.pipeline.run import find_warehouse_state, plan_run
from headwater.run.pipeline.services import connect
from headwater.run.pipeline.sources import load_sources
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
    return plan_run(workspace, request, sources, times=services.times, warehouse_state=warehouse_state)


def dump_plan(workspace: TenantWorkspace, planned: Plan) -> dict[str, Any]:
    """A plan as a JSON object. Each dump is a run of its own, whose steps `run_step` executes one by one."""
    return describe_plan(planned, previous=find_newest_run(workspace.ledger, workspace.tenant))
