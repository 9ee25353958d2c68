"""Clients of services, with settings and resolved secrets. Secrets are resolved only here, as late as possible."""

from __future__ import annotations

from headwater.clock import Clock
from headwater.errors import DeclarationError
from headwater.events import EventListener, discard
from headwater.extract.client import Client
from headwater.extract.credentials import Credentials
from headwater.extract.ledger_tokens import LedgerTokens, TokenPlace
from headwater.extract.rate_limit import RateLimiters
from headwater.extract.token_cipher import NEW_KEY, TokenCipher
from headwater.model.project import Connection
from headwater.names import did_you_mean
from headwater.run.plugins import InstalledConnector
from headwater.run.secrets import fill_settings, resolve, resolve_secrets
from headwater.run.workspace import TenantWorkspace


def open_client(
    workspace: TenantWorkspace,
    name: str,
    connection: Connection,
    *,
    rate_limiters: RateLimiters,
    listen: EventListener = discard,
    clock: Clock | None = None,
) -> Client:
    """Open a client for one connection of a tenant. DeclarationError if a setting or secret is missing."""
    where = locate_connection(workspace, name)
    connector = workspace.find_connector(connection.connector, where=where).connector

    def resolve_all() -> dict[str, str]:
        return resolve_secrets(connection, connector, root=workspace.root, where=where)

    credentials = Credentials(
        tenant=workspace.tenant,
        connection=name,
        settings=fill_settings(connection, connector, where=where),
        secrets=resolve_all(),
        renew=resolve_all,
        tokens=open_tokens(workspace, name) if connector.auth.needs_login else None,
        limits=connection.limits,
    )
    return Client(connector, credentials, rate_limiters=rate_limiters, clock=clock or workspace.clock, listen=listen)


def open_tokens(workspace: TenantWorkspace, name: str) -> LedgerTokens:
    """The tokens of a connection in the ledger. Neither the ledger nor the key is used before somebody reads them."""
    reference = workspace.project.ledger.token_key
    where = workspace.project.origin.find_location("ledger", "token_key")

    def open_cipher() -> TokenCipher:
        try:
            key = resolve(reference, root=workspace.root, where=where)
        except DeclarationError as error:
            error.hint = f"{error.hint}; make a key with: {NEW_KEY}"
            raise
        return TokenCipher(key, where=f"`token_key: {reference}`")

    place = TokenPlace(
        tenant=workspace.tenant,
        connection=name,
        open_ledger=lambda: workspace.ledger if workspace.parent.has_ledger() else None,
        open_cipher=open_cipher,
        clock=workspace.clock,
    )
    return LedgerTokens(place)


def find_connection(workspace: TenantWorkspace, name: str, *, where: str) -> Connection:
    """A connection of the tenant. DeclarationError at `where` if there is none."""
    connections = workspace.load_connections()
    if name not in connections:
        raise DeclarationError(
            f"{workspace.tenant} has no connection `{name}`.",
            where=where,
            details=name,
            hint=did_you_mean(name, connections) or "add one with `headwater connection add`",
        )
    return connections[name]


def locate_connection(workspace: TenantWorkspace, name: str) -> str:
    """The location of a declared connection, for messages: file and line, or the ledger."""
    declared = workspace.project.tenants.get(workspace.tenant)
    if declared and name in declared.connections:
        return workspace.project.origin.find_location("tenants", workspace.tenant, "connections", name)
    return f"ledger, connection {name} of {workspace.tenant}"


def check_resources(workspace: TenantWorkspace, name: str, connection: Connection, plugin: InstalledConnector) -> None:
    """Raise DeclarationError if a connection names a resource that its connector does not have."""
    names = [resource.resource for resource in plugin.connector.resources]
    for resource in (*connection.resources, *connection.overlap, *connection.every):
        if resource not in names:
            raise DeclarationError(
                f"{connection.connector} has no resource `{resource}`.",
                where=locate_connection(workspace, name),
                details=resource,
                hint=did_you_mean(resource, names),
            )
