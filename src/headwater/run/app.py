"""The functions that the command line, an orchestrator or a notebook may call.

Each raises only HeadwaterError. Functions that work for a while pass events to the listener of the workspace.

The module of a function is imported when the function is first used, so that a command imports only what it needs.
`_MODULES` must name the same modules as the imports for the type checker (tests/house/test_imports_by_need.py).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headwater.codegen.choice import ModelStyle
    from headwater.codegen.description import DescriptionFormat
    from headwater.codegen.models import generate_models
    from headwater.ledger.queue.records import QueueStatus
    from headwater.plan.explain import render_plan
    from headwater.plan.state import Layer, RunRequest, list_layers_to
    from headwater.plan.step import Plan
    from headwater.run.fleet.fleet import FleetProgress, ProgressListener, run_fleet
    from headwater.run.fleet.pool import exit_with_workers
    from headwater.run.fleet.report import FleetReport, TenantResult
    from headwater.run.fleet.request import FleetRequest
    from headwater.run.inspect.as_of import build_as_of_query, read_as_of
    from headwater.run.inspect.check import check_project
    from headwater.run.inspect.connectors import list_connectors, list_fields, list_resources, load_connector
    from headwater.run.inspect.explain import explain
    from headwater.run.inspect.history import read_history
    from headwater.run.inspect.plan import dump_plan, plan
    from headwater.run.inspect.query import Query, build_query, run_query
    from headwater.run.inspect.status import read_status
    from headwater.run.kit.check_connector import (
        ConnectorTestOptions,
        ConnectorTestReport,
        find_connector,
        find_recordings,
        run_connector_test,
    )
    from headwater.run.kit.record import RecordedResource, RecordOptions, record_pages
    from headwater.run.kit.scenario import ScenarioResult
    from headwater.run.login.login import Login, LoginRequest, forget_login, log_in
    from headwater.run.manage.accept_connection import accept_connection, plan_connection_acceptance
    from headwater.run.manage.init import init_project
    from headwater.run.manage.missing_values import MissingValue, list_missing_values
    from headwater.run.manage.move_ledger import move_ledger, plan_ledger_move
    from headwater.run.manage.new_connector import write_connector
    from headwater.run.manage.publish import publish_tables
    from headwater.run.manage.quarantine import discard, list_refused, read_refused, retry
    from headwater.run.manage.remove_connection import plan_connection_removal, remove_connection
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
    from headwater.run.queue.enqueue import queue_fleet
    from headwater.run.queue.results import QueueReport, WorkerEvent, WorkerOptions, WorkerReport
    from headwater.run.queue.status import pause_queue, read_queue_status, resume_queue
    from headwater.run.queue.worker import run_worker
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
    "ConnectorTestOptions",
    "ConnectorTestReport",
    "DescriptionFormat",
    "FleetProgress",
    "FleetReport",
    "FleetRequest",
    "Layer",
    "Login",
    "LoginRequest",
    "MissingValue",
    "ModelStyle",
    "Plan",
    "ProgressListener",
    "Query",
    "QueueReport",
    "QueueStatus",
    "RecordOptions",
    "RecordedResource",
    "RunRequest",
    "ScenarioResult",
    "SelfTestOptions",
    "SelfTestReport",
    "SelfTestTarget",
    "StepOptions",
    "TenantResult",
    "TenantWorkspace",
    "WorkerEvent",
    "WorkerOptions",
    "WorkerReport",
    "Workspace",
    "accept_connection",
    "add_connection",
    "add_tenant",
    "build_as_of_query",
    "build_json_schema",
    "build_query",
    "check_connection",
    "check_project",
    "choose_tenant",
    "claim_tenant",
    "discard",
    "dump_plan",
    "erase_selftest",
    "exit_with_workers",
    "explain",
    "find_connector",
    "find_recordings",
    "forget_login",
    "generate_models",
    "init_project",
    "list_connections",
    "list_connectors",
    "list_fields",
    "list_layers_to",
    "list_missing_values",
    "list_refused",
    "list_resources",
    "list_tenants",
    "list_url_examples",
    "load_connector",
    "log_in",
    "move_ledger",
    "open_project",
    "pause_queue",
    "plan",
    "plan_connection_acceptance",
    "plan_connection_removal",
    "plan_ledger_move",
    "plan_removal",
    "publish_tables",
    "queue_fleet",
    "read_as_of",
    "read_history",
    "read_queue_status",
    "read_refused",
    "read_status",
    "rebuild",
    "record_pages",
    "remove_connection",
    "remove_tenant",
    "render_plan",
    "resolve_target",
    "resume_queue",
    "retry",
    "run",
    "run_connector_test",
    "run_fleet",
    "run_query",
    "run_selftest",
    "run_step",
    "run_worker",
    "write_connector",
]

_MODULES = {
    "Check": "headwater.testing.conformance.check",
    "CheckResult": "headwater.testing.conformance.check",
    "ConnectorTestOptions": "headwater.run.kit.check_connector",
    "ConnectorTestReport": "headwater.run.kit.check_connector",
    "DescriptionFormat": "headwater.codegen.description",
    "FleetProgress": "headwater.run.fleet.fleet",
    "FleetReport": "headwater.run.fleet.report",
    "FleetRequest": "headwater.run.fleet.request",
    "Layer": "headwater.plan.state",
    "Login": "headwater.run.login.login",
    "LoginRequest": "headwater.run.login.login",
    "MissingValue": "headwater.run.manage.missing_values",
    "ModelStyle": "headwater.codegen.choice",
    "Plan": "headwater.plan.step",
    "ProgressListener": "headwater.run.fleet.fleet",
    "Query": "headwater.run.inspect.query",
    "QueueReport": "headwater.run.queue.results",
    "QueueStatus": "headwater.ledger.queue.records",
    "RecordOptions": "headwater.run.kit.record",
    "RecordedResource": "headwater.run.kit.record",
    "RunRequest": "headwater.plan.state",
    "ScenarioResult": "headwater.run.kit.scenario",
    "SelfTestOptions": "headwater.testing.conformance.check",
    "SelfTestReport": "headwater.run.selftest.selftest",
    "SelfTestTarget": "headwater.run.selftest.selftest",
    "StepOptions": "headwater.run.pipeline.single_step",
    "TenantResult": "headwater.run.fleet.report",
    "TenantWorkspace": "headwater.run.workspace",
    "WorkerEvent": "headwater.run.queue.results",
    "WorkerOptions": "headwater.run.queue.results",
    "WorkerReport": "headwater.run.queue.results",
    "Workspace": "headwater.run.workspace",
    "accept_connection": "headwater.run.manage.accept_connection",
    "add_connection": "headwater.run.manage.tenants",
    "add_tenant": "headwater.run.manage.tenants",
    "build_as_of_query": "headwater.run.inspect.as_of",
    "build_json_schema": "headwater.run.schema",
    "build_query": "headwater.run.inspect.query",
    "check_connection": "headwater.run.manage.tenants",
    "check_project": "headwater.run.inspect.check",
    "choose_tenant": "headwater.run.workspace",
    "claim_tenant": "headwater.run.manage.tenants",
    "discard": "headwater.run.manage.quarantine",
    "dump_plan": "headwater.run.inspect.plan",
    "erase_selftest": "headwater.run.selftest.selftest",
    "exit_with_workers": "headwater.run.fleet.pool",
    "explain": "headwater.run.inspect.explain",
    "forget_login": "headwater.run.login.login",
    "find_connector": "headwater.run.kit.check_connector",
    "find_recordings": "headwater.run.kit.check_connector",
    "generate_models": "headwater.codegen.models",
    "init_project": "headwater.run.manage.init",
    "list_connections": "headwater.run.manage.tenants",
    "list_connectors": "headwater.run.inspect.connectors",
    "list_fields": "headwater.run.inspect.connectors",
    "list_resources": "headwater.run.inspect.connectors",
    "list_layers_to": "headwater.plan.state",
    "list_missing_values": "headwater.run.manage.missing_values",
    "list_refused": "headwater.run.manage.quarantine",
    "list_tenants": "headwater.run.manage.tenants",
    "list_url_examples": "headwater.run.selftest.warehouse_url",
    "load_connector": "headwater.run.inspect.connectors",
    "log_in": "headwater.run.login.login",
    "move_ledger": "headwater.run.manage.move_ledger",
    "open_project": "headwater.run.workspace",
    "pause_queue": "headwater.run.queue.status",
    "plan": "headwater.run.inspect.plan",
    "plan_connection_acceptance": "headwater.run.manage.accept_connection",
    "plan_connection_removal": "headwater.run.manage.remove_connection",
    "plan_ledger_move": "headwater.run.manage.move_ledger",
    "plan_removal": "headwater.run.manage.remove_tenant",
    "publish_tables": "headwater.run.manage.publish",
    "queue_fleet": "headwater.run.queue.enqueue",
    "read_as_of": "headwater.run.inspect.as_of",
    "read_history": "headwater.run.inspect.history",
    "read_queue_status": "headwater.run.queue.status",
    "read_refused": "headwater.run.manage.quarantine",
    "read_status": "headwater.run.inspect.status",
    "rebuild": "headwater.run.pipeline.rebuild",
    "record_pages": "headwater.run.kit.record",
    "remove_connection": "headwater.run.manage.remove_connection",
    "remove_tenant": "headwater.run.manage.remove_tenant",
    "render_plan": "headwater.plan.explain",
    "resolve_target": "headwater.run.selftest.selftest",
    "resume_queue": "headwater.run.queue.status",
    "retry": "headwater.run.manage.quarantine",
    "run": "headwater.run.pipeline.run",
    "run_connector_test": "headwater.run.kit.check_connector",
    "run_fleet": "headwater.run.fleet.fleet",
    "run_query": "headwater.run.inspect.query",
    "run_selftest": "headwater.run.selftest.selftest",
    "run_step": "headwater.run.step",
    "run_worker": "headwater.run.queue.worker",
    "write_connector": "headwater.run.manage.new_connector",
}
"""The module of each name."""


def __getattr__(name: str) -> Any:
    """Import the module of `name`, and return what it calls `name`."""
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = globals()[name] = getattr(importlib.import_module(_MODULES[name]), name)
    return value
