"""A connection, ready to ask its service: settings filled in, secrets resolved at this last moment."""

from __future__ import annotations

from headwater.clock import Clock
from headwater.events import EventListener, discard
from headwater.extract.client import Client
from headwater.extract.credentials import Credentials
from headwater.extract.rate_limit import RateLimiters
from headwater.model.project import Connection
from headwater.run.secrets import fill_settings, resolve_secrets
from headwater.run.workspace import Opened


def client_of(
    opened: Opened,
    tenant: str,
    name: str,
    connection: Connection,
    *,
    budgets: RateLimiters,
    listen: EventListener = discard,
    clock: Clock | None = None,
) -> Client:
    """A client for one connection of a tenant; DeclarationError where a setting or secret is not there."""
    where = connection_place(opened, tenant, name)
    connector = opened.plug(connection.connector, where=where).connector

    def renewed() -> dict[str, str]:
        return resolve_secrets(connection, connector, root=opened.root, where=where)

    access = Credentials(
        tenant=tenant,
        connection=name,
        settings=fill_settings(connection, connector, where=where),
        secrets=renewed(),
        renew=renewed,
        limits=connection.limits,
    )
    return Client(connector, access, rate_limiters=budgets, clock=clock or opened.clock, listen=listen)


def connection_place(opened: Opened, tenant: str, name: str) -> str:
    """Where a connection is declared: file and line, or the ledger."""
    declared = opened.project.tenants.get(tenant)
    if declared and name in declared.connections:
        return opened.project.origin.location_of("tenants", tenant, "connections", name)
    return f"ledger, connection {name} of {tenant}"
