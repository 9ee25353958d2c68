"""`check`: what a project declares, and what this machine lacks to run it."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.errors import DeclarationError, DeclarationErrors, HeadwaterError
from headwater.extract.rate_limit import RateLimiters
from headwater.model.address import is_reference
from headwater.names import did_you_mean
from headwater.run.clients import check_resources, locate_connection, open_client
from headwater.run.isolation import check_isolation
from headwater.run.plugins import find_ledger, load_connector_plugin, load_warehouse_settings
from headwater.run.results import CheckReport
from headwater.run.secrets import fill_settings, resolve
from headwater.run.workspace import Workspace
from headwater.wire.hosts import check_base
from headwater.wire.template import fill


def check_project(workspace: Workspace) -> CheckReport:
    """The declarations of a project. DeclarationErrors if a connection or connector is invalid, or tenants share a location.

    Opening the project has already checked the declarations. Warnings list what is missing on this machine, e.g. secrets:
    they may be set where the project runs.
    """
    declared = workspace.declarations
    if errors := [
        *_find_setting_errors(workspace),
        *_find_connector_errors(workspace),
        *_find_publication_errors(workspace),
    ]:
        raise DeclarationErrors(errors)
    return CheckReport(
        project=workspace.project.name,
        connectors=tuple(sorted(workspace.connectors)),
        entities=tuple(sorted(declared.entities)),
        dimensions=tuple(sorted(declared.dimensions)),
        facts=tuple(sorted(declared.facts)),
        tenants=tuple(sorted(workspace.project.tenants)),
        warnings=(*_check_isolation(workspace), *_list_warnings(workspace)),
    )


def _check_isolation(workspace: Workspace) -> list[str]:
    """Check every environment for shared locations. A warning if the ledger, which lists tenants, cannot be opened."""
    tenants, warnings = set(workspace.project.tenants), []
    try:
        if workspace.has_ledger():
            tenants.update(workspace.list_tenants(), workspace.ledger.list_tenants_with_runs())
    except HeadwaterError as error:
        warnings.append(f"tenants of the ledger are not known: {error.message}")
    others = workspace.project.environments.values()
    for project in (workspace.project, *(workspace.project.with_environment(environment) for environment in others)):
        if not is_reference(project.ledger.url):
            find_ledger(project.ledger.url)
        check_isolation(project.with_origin(workspace.project.origin), sorted(tenants), workspace.root)
    return warnings


def _find_setting_errors(workspace: Workspace) -> Iterator[DeclarationError]:
    """The errors in the settings of connections, which are wrong on every machine."""
    for tenant, declared in workspace.project.tenants.items():
        for name, connection in declared.connections.items():
            where = locate_connection(workspace.open_tenant(tenant), name)
            plugin = workspace.find_connector(connection.connector, where=where)
            connector = plugin.connector
            try:
                check_resources(workspace.open_tenant(tenant), name, connection, plugin)
                settings = fill_settings(connection, connector, where=where)
                if not connector.list_answer_names():
                    check_base(fill(connector.base_url, settings, where=where), where=where)
            except DeclarationError as error:
                yield error


def _find_connector_errors(workspace: Workspace) -> Iterator[DeclarationError]:
    """The errors of the project's connectors that no connection uses yet."""
    for path in sorted(workspace.root.glob("connectors/*/connector.yaml")):
        name = path.parent.name
        if name in workspace.connectors:
            continue
        try:
            load_connector_plugin(name, root=workspace.root).list_fields()
        except DeclarationErrors as error:
            yield from error.errors
        except DeclarationError as error:
            yield error


def _find_publication_errors(workspace: Workspace) -> Iterator[DeclarationError]:
    """Publications of a warehouse that cannot write its tables to files."""
    project = workspace.project
    if project.publish and not load_warehouse_settings(project.warehouse).exports:
        yield DeclarationError(
            f"A {project.warehouse.kind} warehouse cannot publish its tables.",
            where=project.origin.find_location("publish"),
            details=", ".join(publication.name for publication in project.publish),
            hint="remove `publish:`, or export the tables with a tool of the warehouse",
        )


def _find_unset_references(workspace: Workspace) -> Iterator[str]:
    """References of the warehouse that have no value on this machine."""
    project = workspace.project
    for name, value in load_warehouse_settings(project.warehouse).model_dump().items():
        if isinstance(value, str) and is_reference(value):
            where = project.origin.find_location("warehouse", name)
            try:
                resolve(value, root=workspace.root, where=where)
            except HeadwaterError as error:
                yield f"{where}: {error.message}"


def _list_warnings(workspace: Workspace) -> list[str]:
    warnings = [*_find_added_fields(workspace), *_find_unset_references(workspace)]
    for tenant, declared in workspace.project.tenants.items():
        for name, connection in declared.connections.items():
            try:
                open_client(workspace.open_tenant(tenant), name, connection, rate_limiters=RateLimiters()).close()
            except HeadwaterError as error:
                warnings.append(f"{locate_connection(workspace.open_tenant(tenant), name)}: {error.message}")
    return warnings


def _find_added_fields(workspace: Workspace) -> Iterator[str]:
    """Fields that only a policy declares. They may be meant, but a misspelled one relaxes nothing."""
    project = workspace.project
    for name, policy in project.policies.items():
        connector, _, resource = name.partition(".")
        where = project.origin.find_location("policies", name, "fields")
        plugin = workspace.find_connector(connector, where=where)
        known = [field.dotted for field in plugin.get_fields(resource)]
        for field in policy.fields:
            if field not in known:
                hint = did_you_mean(field, known)
                near = f"; {hint}" if hint.startswith("did you mean") else ""
                yield f"{where}: `{field}` is not in the contract of {name}, and becomes a new column{near}"
