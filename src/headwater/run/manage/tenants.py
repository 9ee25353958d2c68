"""`tenant` and `connection`: tenants and connections of the project file and of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from pydantic import ValidationError

from headwater.batch import Feed
from headwater.errors import DeclarationError, StateError
from headwater.extract.client import Client
from headwater.extract.probe import fetch_first_page
from headwater.extract.rate_limit import RateLimiters
from headwater.extract.request_params import ReadRequest
from headwater.ledger.base import CLEAR_SECRET_REMOVED, ConnectionRow
from headwater.model.project import Connection
from headwater.model.reason import describe_reason
from headwater.names import check_slug, did_you_mean
from headwater.run.clients import find_connection, locate_connection, open_client
from headwater.run.ownership import claim_lake, claim_warehouse
from headwater.run.pipeline.run import lock_tenant
from headwater.run.pipeline.sources import load_sources
from headwater.run.plugins import open_warehouse
from headwater.run.secrets import fill_settings
from headwater.run.workspace import TenantWorkspace, Workspace


def list_tenants(workspace: Workspace) -> list[dict[str, Any]]:
    """All tenants, with where they are declared and their connections."""
    stored = set(workspace.ledger.list_tenants())
    return [
        {
            "tenant": tenant,
            "declared": "headwater.yaml" if tenant in workspace.project.tenants else "ledger",
            "connections": sorted(workspace.open_tenant(tenant).load_connections()),
            **({"also": "ledger"} if tenant in stored and tenant in workspace.project.tenants else {}),
        }
        for tenant in workspace.list_tenants()
    ]


def add_tenant(workspace: Workspace, name: str) -> None:
    """Add a tenant to the ledger. StateError if it exists."""
    if _check_name(name, "tenant") in workspace.list_tenants():
        raise StateError(
            f"the tenant `{name}` exists already", where="tenant add", details=name, hint="choose another name"
        )
    workspace.check_isolation(name)
    workspace.ledger.add_tenant(name)


def claim_tenant(workspace: Workspace, name: str) -> None:
    """Make this ledger the owner of the warehouse and the lake of a tenant, whoever owned them before."""
    if name not in workspace.list_tenants():
        hint = did_you_mean(name, workspace.list_tenants())
        raise DeclarationError(f"There is no tenant `{name}`.", where="tenant claim", details=name, hint=hint)
    workspace.check_isolation(name)
    where = workspace.project.origin.find_location
    tenant = workspace.open_tenant(name)
    with lock_tenant(tenant):
        owner = tenant.load_owner()
        with closing(open_warehouse(workspace.warehouse_settings, name, workspace.root)) as warehouse:
            claim_warehouse(warehouse, owner, workspace.ledger, where=where("warehouse"), force=True)
        claim_lake(tenant.open_lake(), owner, workspace.ledger, where=where("lake", "url"), force=True)


def list_connections(workspace: TenantWorkspace) -> list[dict[str, Any]]:
    """The connections of a tenant, with references to secrets, and notes about secrets in clear text that were removed."""
    removed = {
        row.table.removeprefix("connection "): row.detail
        for row in workspace.ledger.list_findings(workspace.tenant)
        if row.finding == CLEAR_SECRET_REMOVED
    }
    declared = workspace.project.tenants.get(workspace.tenant)
    in_file = declared.connections if declared else {}
    return [
        {
            "connection": name,
            "connector": connection.connector,
            "declared": "headwater.yaml" if name in in_file else "ledger",
            "settings": dict(connection.settings),
            "secrets": dict(connection.secrets),
            "resources": list(connection.resources) or "all required ones",
            **({"removed": removed[name]} if name in removed else {}),
        }
        for name, connection in sorted(workspace.load_connections().items())
    ]


def add_connection(workspace: TenantWorkspace, name: str, declaration: Mapping[str, Any]) -> None:
    """Check a connection against its connector, and add it to the ledger.

    `declaration` is as in headwater.yaml: connector, settings, secrets (references), resources.
    """
    where = f"connection {_check_name(name, 'connection')}"
    try:
        declared = Connection.model_validate(dict(declaration))
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(step) for step in first["loc"])
        hint = describe_reason(first)
        # The value is not shown, because it may be a secret. For the same reason, the error that quotes it is not chained.
        raise DeclarationError(
            "The connection is invalid.", where=f"{where}, {path}", details="a value that is not shown", hint=hint
        ) from None
    plugin = workspace.find_connector(declared.connector, where=where)
    fill_settings(declared, plugin.connector, where=where)
    for secret in declared.secrets:
        if secret not in plugin.connector.secrets:
            hint = did_you_mean(secret, plugin.connector.secrets)
            raise DeclarationError(
                f"{declared.connector} has no secret `{secret}`.", where=where, details=secret, hint=hint
            )
    for resource in declared.resources:
        if plugin.connector.find_resource(resource) is None:
            hint = did_you_mean(resource, [item.resource for item in plugin.connector.resources])
            raise DeclarationError(
                f"{declared.connector} has no resource `{resource}`.", where=where, details=resource, hint=hint
            )
    if workspace.tenant not in workspace.ledger.list_tenants():
        workspace.ledger.add_tenant(workspace.tenant)
    row = ConnectionRow(tenant=workspace.tenant, name=name, declaration=declared.model_dump(mode="json"))
    workspace.ledger.add_connection(row)
    workspace.ledger.save_findings(workspace.tenant, f"connection {name}", [])


def check_connection(workspace: TenantWorkspace, name: str) -> dict[str, Any]:
    """Request the first page of a resource that the connection reads, to test its URL, credentials and right to read.

    ServiceError if the service refuses.
    """
    connection = find_connection(workspace, name, where="connection test")
    feed, request = _choose_read(workspace, name, connection)
    started = workspace.clock.monotonic()
    client: Client = open_client(workspace, name, connection, rate_limiters=RateLimiters())
    with client:
        source_time = client.read_source_time()
        records = fetch_first_page(client, feed, request, now=source_time)
    return {
        "connection": name,
        "connector": connection.connector,
        "url": client.base_url,
        "resource": feed.resource,
        "records": records,
        "source_time": source_time,
        "seconds": round(workspace.clock.monotonic() - started, 3),
    }


def _choose_read(workspace: TenantWorkspace, name: str, connection: Connection) -> tuple[Feed, ReadRequest]:
    """A resource that the connection reads without a parent. If it reads none yet, one of the connector.

    A resource that is read by changes comes first, because its page is small.
    """
    sources = [source for source in load_sources(workspace).values() if source.feed.connection == name]
    requests = [ReadRequest(resource=source.resource, fields=source.fields) for source in sources]
    if not requests:
        connector = workspace.find_connector(connection.connector, where=f"connection {name}").connector
        requests = [ReadRequest(resource=connector.with_defaults(resource)) for resource in connector.resources]
    request = min(
        (request for request in requests if request.resource.parent is None),
        key=lambda request: request.changes is None,
        default=None,
    )
    if request is None:
        raise DeclarationError(
            f"{connection.connector} has no resource to request.",
            where=locate_connection(workspace, name),
            details="every resource has a parent",
            hint="declare a resource without `parent:`",
        )
    return Feed(tenant=workspace.tenant, connection=name, resource=request.resource.resource), request


def _check_name(name: str, noun: str) -> str:
    try:
        return check_slug(name)
    except ValueError as error:
        raise DeclarationError(
            f"This is not a valid name for a {noun}.", where=f"{noun} add", details=name, hint=str(error)
        ) from error
