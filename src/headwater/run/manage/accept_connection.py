"""`connection accept`: records that a connection reads the same account as before, at another URL or with other settings."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.errors import DeclarationError
from headwater.extract.rate_limit import RateLimiters
from headwater.names import did_you_mean
from headwater.run.account import (
    Account,
    describe_account,
    describe_differences,
    find_differences,
    load_account,
    save_account,
)
from headwater.run.clients import open_client
from headwater.run.pipeline.run import lock_tenant
from headwater.run.workspace import TenantWorkspace


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionAcceptance:
    """What differs between the account that a connection read and the one that it reads now."""

    tenant: str
    connection: str
    differences: str
    """Empty if there is nothing to accept."""


def plan_connection_acceptance(workspace: TenantWorkspace, name: str) -> ConnectionAcceptance:
    """What `accept_connection` would accept. DeclarationError if the connection does not exist."""
    return _compare(workspace, name, _read_account(workspace, name))


def accept_connection(workspace: TenantWorkspace, name: str) -> ConnectionAcceptance:
    """Record the account that a connection reads now. Its history continues. LeaseHeld while a run is in progress."""
    with lock_tenant(workspace):
        account = _read_account(workspace, name)
        acceptance = _compare(workspace, name, account)
        save_account(workspace, name, account)
    return acceptance


def _compare(workspace: TenantWorkspace, name: str, account: Account) -> ConnectionAcceptance:
    different = find_differences(load_account(workspace, name) or account, account)
    return ConnectionAcceptance(tenant=workspace.tenant, connection=name, differences=describe_differences(different))


def _read_account(workspace: TenantWorkspace, name: str) -> Account:
    """The account of a connection. It asks the service only if the service gives an id."""
    connections = workspace.load_connections()
    if name not in connections:
        raise DeclarationError(
            f"{workspace.tenant} has no connection `{name}`.",
            where="connection accept",
            details=name,
            hint=did_you_mean(name, connections) or "`headwater connection list` lists the connections",
        )
    with open_client(workspace, name, connections[name], rate_limiters=RateLimiters()) as client:
        if client.connector.clock is not None and client.connector.clock.account:
            client.read_service_time()
        return describe_account(client)
