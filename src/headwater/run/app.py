"""The verbs that a face may call. Each raises HeadwaterError only, and tells what happens to the project's listener."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from headwater.codegen.models import generate
from headwater.errors import HeadwaterError
from headwater.extract.rate_limit import RateLimiters
from headwater.model.address import is_reference
from headwater.model.connector import Connector
from headwater.plan.explain import render_plan as explained_plan
from headwater.plan.state import Layer, RunRequest, list_layers_to
from headwater.plan.step import Plan
from headwater.run.clients import locate_connection, open_client
from headwater.run.inspect.as_of import read_as_of
from headwater.run.inspect.explain import explain
from headwater.run.inspect.history import read_history
from headwater.run.inspect.status import read_status, run_query
from headwater.run.isolation import check_isolation
from headwater.run.manage.init import write_project
from headwater.run.manage.new_connector import write_connector
from headwater.run.manage.quarantine import discard, list_refused, read_refused, retry
from headwater.run.manage.remove_tenant import plan_removal, remove_tenant
from headwater.run.manage.tenants import (
    add_connection,
    add_tenant,
    check_connection,
    claim_tenant,
    list_connections,
    list_tenants,
)
from headwater.run.pipeline.rebuild import rebuild
from headwater.run.pipeline.run import find_warehouse_state, plan_run, run
from headwater.run.pipeline.services import connect
from headwater.run.pipeline.single_step import StepOptions
from headwater.run.pipeline.single_step import run_step as run_single_step
from headwater.run.pipeline.sources import load_sources
from headwater.run.pipeline.step_order import find_newest_run
from headwater.run.pipeline.step_request import StepRequest, dump_plan, find_request, load_request, parse_step_id
from headwater.run.plugins import find_ledger, list_connector_names, load_blueprint, load_connector_plugin
from headwater.run.results import CheckReport, RunReport
from headwater.run.schema import build_json_schema
from headwater.run.selftest.selftest import (
    SelfTestReport,
    SelfTestTarget,
    erase_selftest,
    resolve_target,
    run_selftest,
)
from headwater.run.selftest.warehouse_url import list_url_examples
from headwater.run.workspace import TenantWorkspace, Workspace, choose_tenant, open_project
from headwater.testing.conformance.check import Check, CheckResult, SelfTestOptions

__all__ = [
    "Check",
    "CheckResult",
    "Layer",
    "RunRequest",
    "SelfTestOptions",
    "SelfTestReport",
    "SelfTestTarget",
    "StepOptions",
    "TenantWorkspace",
    "Workspace",
    "add_connection",
    "add_tenant",
    "backfill",
    "build_json_schema",
    "check_project",
    "choose_tenant",
    "claim_tenant",
    "discard",
    "erase_selftest",
    "explain",
    "explain_plan",
    "generate_models",
    "init_project",
    "list_connections",
    "list_connectors",
    "list_layers_to",
    "list_refused",
    "list_tenants",
    "list_url_examples",
    "load_connector",
    "open_project",
    "plan",
    "plan_dict",
    "plan_removal",
    "read_as_of",
    "read_history",
    "read_refused",
    "read_status",
    "rebuild",
    "remove_tenant",
    "resolve_target",
    "retry",
    "run",
    "run_query",
    "run_selftest",
    "run_step",
    "test_connection",
    "write_connector",
]

test_connection = check_connection


def check_project(workspace: Workspace) -> CheckReport:
    """What is declared and in good order; DeclarationErrors come from opening the project, and where tenants share a place.

    Warnings tell what this machine lacks: a secret that is not set here may well be set where the project runs.
    """
    declared = workspace.declarations
    return CheckReport(
        project=workspace.project.name,
        connectors=tuple(sorted(workspace.connectors)),
        entities=tuple(sorted(declared.entities)),
        dimensions=tuple(sorted(declared.dimensions)),
        facts=tuple(sorted(declared.facts)),
        tenants=tuple(sorted(workspace.project.tenants)),
        warnings=(*_check_isolation(workspace), *_list_warnings(workspace)),
    )


def plan(workspace: TenantWorkspace, request: RunRequest) -> Plan:
    """What a run would do now. Asks each service for its time, and nothing else; writes nothing."""
    sources, warehouse_state = load_sources(workspace), find_warehouse_state(workspace, request)
    with ExitStack() as stack:
        services = connect(workspace, request, sources, stack)
    if services.unreachable and not services.times:
        raise next(iter(services.unreachable.values()))
    return plan_run(workspace, request, sources, times=services.times, warehouse_state=warehouse_state)


def _find_step(workspace: TenantWorkspace, step_id: str) -> StepRequest:
    """The step that an id alone stands for; a read that was not begun is looked for in what a run would do now."""
    request = parse_step_id(workspace, step_id)
    return request or replace(
        find_request(plan_dict(workspace, plan(workspace, RunRequest())), step_id), total=1, by_id=True
    )


def explain_plan(planned: Plan) -> list[str]:
    """A plan as lines to read."""
    return list(explained_plan(planned))


def plan_dict(workspace: TenantWorkspace, planned: Plan) -> dict[str, Any]:
    """A plan as JSON can hold it, for a run of its own whose steps `run_step` does one by one."""
    return dump_plan(planned, previous=find_newest_run(workspace.ledger, workspace.tenant))


def run_step(
    workspace: Workspace,
    tenant: str | None,
    step: Mapping[str, Any] | str,
    *,
    plan: Mapping[str, Any] | None = None,
    options: StepOptions | None = None,
) -> RunReport:
    """Do one step of a plan: as `plan_dict` wrote it, by its id in such a `plan`, or by its id alone.

    It does nothing where it was done before, and StepNotReady is raised where what it depends on was not.
    """
    chosen = choose_tenant(workspace, tenant)
    if isinstance(step, str):
        request = find_request(plan, step) if plan is not None else _find_step(chosen, step)
    else:
        request = load_request(step)
    return run_single_step(chosen, request, options or StepOptions())


def backfill(workspace: TenantWorkspace, request: RunRequest, *, stop: Callable[[], bool]) -> RunReport:
    """Read a span of the past, in chunks: a run of which one window was asked."""
    return run(workspace, request, stop=stop)


def list_connectors(root: Path | None = None) -> list[dict[str, Any]]:
    """The connectors that are installed, and those of the project at `root`."""
    local = [path.parent.name for path in root.glob("connectors/*/connector.yaml")] if root else []
    installed = (load_connector_plugin(name, root=root).connector for name in sorted({*list_connector_names(), *local}))
    return [
        {
            "connector": item.connector,
            "title": item.title,
            "resources": len(item.resources),
            "confidence": item.confidence,
        }
        for item in installed
    ]


def load_connector(name: str, root: Path | None = None) -> Connector:
    """One connector: of the project at `root` if it has one of that name, else an installed one."""
    return load_connector_plugin(name, root=root, where="connector show").connector


def init_project(folder: Path, *, blueprint: str | None = None, connector: str | None = None) -> list[Path]:
    """Write a new project into `folder`; the files written."""
    if blueprint:
        load_blueprint(blueprint, where="--blueprint")
    manifest = load_connector_plugin(connector, where="--connector").connector if connector else None
    return write_project(folder, manifest, blueprint=blueprint or "")


def generate_models(spec: Path, out: Path, *, choice: Path | None = None) -> list[str]:
    """Generate contracts from a published interface; the names of the classes.

    `choice` is a YAML file that says which of its schemas, and how some of their fields are typed.
    """
    return list(generate(spec, out, choice=choice))


def _check_isolation(workspace: Workspace) -> list[str]:
    """Refuse places that tenants share, in every environment; a warning where the ledger cannot be asked who they are."""
    tenants, warnings = set(workspace.project.tenants), []
    try:
        if workspace.has_ledger():
            tenants.update(workspace.list_tenants(), workspace.ledger.tenants_with_runs())
    except HeadwaterError as error:
        warnings.append(f"tenants of the ledger are not known: {error.message}")
    others = workspace.project.environments.values()
    for project in (workspace.project, *(workspace.project.in_environment(environment) for environment in others)):
        if not is_reference(project.ledger.url):
            find_ledger(project.ledger.url)
        check_isolation(project.with_origin(workspace.project.origin), sorted(tenants), workspace.root)
    return warnings


def _list_warnings(workspace: Workspace) -> list[str]:
    warnings: list[str] = []
    for tenant, declared in workspace.project.tenants.items():
        for name, connection in declared.connections.items():
            try:
                open_client(workspace.open_tenant(tenant), name, connection, rate_limiters=RateLimiters()).close()
            except HeadwaterError as error:
                warnings.append(f"{locate_connection(workspace.open_tenant(tenant), name)}: {error.message}")
    return warnings
