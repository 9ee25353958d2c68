"""The functions that the command line, an orchestrator or a notebook may call.

Each raises only HeadwaterError. Functions that work for a while pass events to the listener of the workspace.
"""

from __future__ import annotations

from headwater.codegen.models import generate_models
from headwater.plan.explain import render_plan
from headwater.plan.state import Layer, RunRequest, list_layers_to
from headwater.run.fleet.fleet import FleetProgress, ProgressListener, run_fleet
from headwater.run.fleet.report import FleetReport, TenantResult
from headwater.run.fleet.request import FleetRequest
from headwater.run.inspect.as_of import read_as_of
from headwater.run.inspect.check import check_project
from headwater.run.inspect.connectors import list_connectors, load_connector
from headwater.run.inspect.explain import explain
from headwater.run.inspect.history import read_history
from headwater.run.inspect.plan import dump_plan, plan
from headwater.run.inspect.status import read_status, run_query
from headwater.run.manage.init import init_project
from headwater.run.manage.move_ledger import move_ledger, plan_ledger_move
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
from headwater.run.pipeline.run import run
from headwater.run.pipeline.single_step import StepOptions
from headwater.run.schema import build_json_schema
from headwater.run.selftest.selftest import (
    SelfTestReport,
    SelfTestTarget,
    erase_selftest,
    resolve_target,
    run_selftest,
)
from headwater.run.selftest.warehouse_url import list_url_examples
from headwater.run.step import run_step
from headwater.run.workspace import TenantWorkspace, Workspace, choose_tenant, open_project
from headwater.testing.conformance.check import Check, CheckResult, SelfTestOptions

__all__ = [
    "Check",
    "CheckResult",
    "FleetProgress",
    "FleetReport",
    "FleetRequest",
    "Layer",
    "ProgressListener",
    "RunRequest",
    "SelfTestOptions",
    "SelfTestReport",
    "SelfTestTarget",
    "StepOptions",
    "TenantResult",
    "TenantWorkspace",
    "Workspace",
    "add_connection",
    "add_tenant",
    "build_json_schema",
    "check_connection",
    "check_project",
    "choose_tenant",
    "claim_tenant",
    "discard",
    "dump_plan",
    "erase_selftest",
    "explain",
    "generate_models",
    "init_project",
    "list_connections",
    "list_connectors",
    "list_layers_to",
    "list_refused",
    "list_tenants",
    "list_url_examples",
    "load_connector",
    "move_ledger",
    "open_project",
    "plan",
    "plan_ledger_move",
    "plan_removal",
    "read_as_of",
    "read_history",
    "read_refused",
    "read_status",
    "rebuild",
    "remove_tenant",
    "render_plan",
    "resolve_target",
    "retry",
    "run",
    "run_fleet",
    "run_query",
    "run_selftest",
    "run_step",
    "write_connector",
]
