"""The verbs that a face may call. Each raises HeadwaterError only, and tells what happens to the project's listener."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from headwater.codegen.models import generate
from headwater.errors import HeadwaterError
from headwater.extract.rate_limit import RateLimiters
from headwater.model.address import is_reference
from headwater.model.connector import Connector
from headwater.model.dimension import DateDimension, EntityDimension, EnumDimension
from headwater.model.entity import Entity, Rules
from headwater.model.fact import Fact
from headwater.model.project import Project
from headwater.plan.explain import render_plan
from headwater.plan.step import Plan
from headwater.run.clients import client_of, connection_place
from headwater.run.inspect.as_of import asof
from headwater.run.inspect.explain import explain
from headwater.run.inspect.history import history
from headwater.run.inspect.status import query, status
from headwater.run.isolation import check_isolation
from headwater.run.manage.init import write_project
from headwater.run.manage.new_connector import write_connector
from headwater.run.manage.quarantine import discard, refused, refused_record, retry
from headwater.run.manage.remove_tenant import plan_removal, remove_tenant
from headwater.run.manage.tenants import (
    add_connection,
    add_tenant,
    check_connection,
    claim_tenant,
    connections,
    tenants,
)
from headwater.run.pipeline.options import Asked
from headwater.run.pipeline.rebuild import rebuild
from headwater.run.pipeline.run import connect, open_for_plan, plan_of, run
from headwater.run.pipeline.sources import sources_of
from headwater.run.plugins import connector_names, find_ledger, load_blueprint, load_plug
from headwater.run.results import Checked, RunReport
from headwater.run.selftest.selftest import Tested, erase_selftest, place_to_try, selftest
from headwater.run.workspace import Opened, choose_tenant, open_project
from headwater.testing.conformance.check import Trial

__all__ = [
    "Asked",
    "Opened",
    "Tested",
    "Trial",
    "add_connection",
    "add_tenant",
    "asof",
    "backfill",
    "check",
    "claim_tenant",
    "connections",
    "connector",
    "connectors",
    "discard",
    "erase_selftest",
    "explain",
    "explain_plan",
    "generate_models",
    "history",
    "init",
    "open_project",
    "place_to_try",
    "plan",
    "plan_dict",
    "plan_removal",
    "query",
    "rebuild",
    "refused",
    "refused_record",
    "remove_tenant",
    "retry",
    "run",
    "schema",
    "selftest",
    "status",
    "tenant_of",
    "tenants",
    "test_connection",
    "write_connector",
]

tenant_of = choose_tenant
test_connection = check_connection


def check(opened: Opened) -> Checked:
    """What is declared and in good order; DeclarationErrors come from opening the project, and where tenants share a place.

    Warnings tell what this machine lacks: a secret that is not set here may well be set where the project runs.
    """
    declared = opened.declarations
    return Checked(
        project=opened.project.name,
        connectors=tuple(sorted(opened.plugs)),
        entities=tuple(sorted(declared.entities)),
        dimensions=tuple(sorted(declared.dimensions)),
        facts=tuple(sorted(declared.facts)),
        tenants=tuple(sorted(opened.project.tenants)),
        warnings=(*_check_places(opened), *_warnings(opened)),
    )


def plan(opened: Opened, tenant: str, asked: Asked) -> Plan:
    """What a run would do now. Asks each service for its time, and nothing else; writes nothing."""
    sources, standing = sources_of(opened, tenant), open_for_plan(opened, tenant, asked)
    with ExitStack() as stack:
        _, times, failed = connect(opened, tenant, asked, sources, stack)
    if failed and not times:
        raise next(iter(failed.values()))
    return plan_of(opened, tenant, asked, sources, times=times, standing=standing)


def explain_plan(planned: Plan) -> list[str]:
    """A plan as lines to read."""
    return list(render_plan(planned))


def plan_dict(planned: Plan) -> dict[str, Any]:
    """A plan as JSON can hold it."""
    return planned.as_dict()


def backfill(opened: Opened, tenant: str, asked: Asked, *, stop: Callable[[], bool]) -> RunReport:
    """Read a span of the past, in chunks: a run of which one window was asked."""
    return run(opened, tenant, asked, stop=stop)


def connectors(root: Path | None = None) -> list[dict[str, Any]]:
    """The connectors that are installed, and those of the project at `root`."""
    own = [path.parent.name for path in root.glob("connectors/*/connector.yaml")] if root else []
    found = (load_plug(name, root=root).connector for name in sorted({*connector_names(), *own}))
    return [
        {
            "connector": one.connector,
            "title": one.title,
            "resources": len(one.resources),
            "confidence": one.confidence,
        }
        for one in found
    ]


def connector(name: str, root: Path | None = None) -> Connector:
    """One connector: of the project at `root` if it has one of that name, else an installed one."""
    return load_plug(name, root=root, where="connector show").connector


def init(folder: Path, *, blueprint: str | None = None, connector: str | None = None) -> list[Path]:
    """Write a new project into `folder`; the files written."""
    if blueprint:
        load_blueprint(blueprint, where="--blueprint")
    found = load_plug(connector, where="--connector").connector if connector else None
    return write_project(folder, found, blueprint=blueprint or "")


def generate_models(spec: Path, out: Path, *, choice: Path | None = None) -> list[str]:
    """Generate contracts from a published interface; the names of the classes.

    `choice` is a YAML file that says which of its schemas, and how some of their fields are typed.
    """
    return list(generate(spec, out, choice=choice))


def schema() -> dict[str, Any]:
    """JSON Schema of headwater.yaml and of every noun below models/, for editors."""
    nouns: Sequence[tuple[str, Any]] = (
        ("project", Project),
        ("connector", Connector),
        ("entity", Entity),
        ("rules", Rules),
        ("dimension", EntityDimension | EnumDimension | DateDimension),
        ("fact", Fact),
    )
    return {name: TypeAdapter(noun).json_schema() for name, noun in nouns}


def _check_places(opened: Opened) -> list[str]:
    """Refuse places that tenants share, in every environment; a warning where the ledger cannot be asked who they are."""
    tenants, warnings = set(opened.project.tenants), []
    try:
        if opened.has_ledger():
            tenants.update(opened.tenants(), opened.ledger.tenants_with_runs())
    except HeadwaterError as error:
        warnings.append(f"tenants of the ledger are not known: {error.what}")
    others = opened.project.environments.values()
    for project in (opened.project, *(opened.project.in_environment(one) for one in others)):
        if not is_reference(project.ledger.url):
            find_ledger(project.ledger.url)
        check_isolation(project.with_origin(opened.project.origin), sorted(tenants), opened.root)
    return warnings


def _warnings(opened: Opened) -> list[str]:
    found: list[str] = []
    for tenant, declared in opened.project.tenants.items():
        for name, connection in declared.connections.items():
            try:
                client_of(opened, tenant, name, connection, budgets=RateLimiters()).close()
            except HeadwaterError as error:
                found.append(f"{connection_place(opened, tenant, name)}: {error.what}")
    return found
