"""`step`: one step of a plan, given as JSON or by its id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headwater.plan.state import RunRequest
from headwater.run.inspect.plan import dump_plan, plan
from headwater.run.pipeline.single_step import StepOptions, execute_step
from headwater.run.pipeline.step_request import StepRequest, find_request, load_request, parse_step_id
from headwater.run.results import RunReport
from headwater.run.workspace import TenantWorkspace, Workspace, choose_tenant


def run_step(
    workspace: Workspace,
    tenant: str | None,
    step: Mapping[str, Any] | str,
    *,
    plan: Mapping[str, Any] | None = None,
    options: StepOptions | None = None,
) -> RunReport:
    """Execute one step of a plan, and return its report. Without `tenant`: that of the step or of the plan.

    `step` is a step as `dump_plan` wrote it, the id of a step in `plan`, or the id alone. A step that is already done
    does nothing. StepNotReady if a step that it depends on has not succeeded.
    """
    if isinstance(step, str) and plan is None:
        tenant_workspace = choose_tenant(workspace, tenant)
        request = _find_step(tenant_workspace, step)
    else:
        request = find_request(plan or {}, step) if isinstance(step, str) else load_request(step)
        tenant_workspace = choose_tenant(workspace, tenant or request.step.tenant)
    return execute_step(tenant_workspace, request, options or StepOptions())


def _find_step(workspace: TenantWorkspace, step_id: str) -> StepRequest:
    """The step with this id; a read that has not begun is looked up in a new plan."""
    request = parse_step_id(workspace, step_id)
    if request is not None:
        return request
    steps = dump_plan(workspace, plan(workspace, RunRequest()))
    return replace(find_request(steps, step_id), total=1, by_id=True)
