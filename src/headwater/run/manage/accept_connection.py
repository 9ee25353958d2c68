"""`connection accept`: records that a connection reads the same account and the same records as before."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.extract.rate_limit import RateLimiters
from headwater.run.account import (
    Account,
    describe_account,
    describe_differences,
    find_differences,
    load_account,
    save_account,
)
from headwater.run.clients import find_connection, open_client
from headwater.run.pipeline.run import lock_tenant
from headwater.run.pipeline.sources import Source, load_sources
from headwater.run.selection import accept_selections, list_differences
from headwater.run.workspace import TenantWorkspace


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionAcceptance:
    """What differs between what a connection read and what it reads now."""

    tenant: str
    connection: str
    differences: str
    """The account, e.g. `setting company: acme before, now other`. Empty if it is the same."""
    selections: tuple[str, ...]
    """The resources whose windows were read with another path, other parameters or another cursor, e.g. `tickets: params`."""

    def describe(self) -> tuple[str, ...]:
        """The differences as lines of text."""
        return (*((self.differences,) if self.differences else ()), *self.selections)


def plan_connection_acceptance(workspace: TenantWorkspace, name: str) -> ConnectionAcceptance:
    """What `accept_connection` would accept. DeclarationError if the connection does not exist."""
    return _compare(workspace, name, _read_account(workspace, name))


def accept_connection(workspace: TenantWorkspace, name: str) -> ConnectionAcceptance:
    """Record the account that a connection reads now. Its history continues. LeaseHeld while a run is in progress."""
    with lock_tenant(workspace):
        account = _read_account(workspace, name)
        acceptance = _compare(workspace, name, account)
        save_account(workspace, name, account)
        accept_selections(workspace.ledger, workspace.tenant, name, _list_sources(workspace, name))
    return acceptance


def _compare(workspace: TenantWorkspace, name: str, account: Account) -> ConnectionAcceptance:
    different = find_differences(load_account(workspace, name) or account, account)
    selections = list_differences(workspace.ledger, workspace.tenant, name, _list_sources(workspace, name))
    return ConnectionAcceptance(
        tenant=workspace.tenant, connection=name, differences=describe_differences(different), selections=selections
    )


def _list_sources(workspace: TenantWorkspace, name: str) -> tuple[Source, ...]:
    return tuple(source for feed, source in load_sources(workspace).items() if feed.connection == name)


def _read_account(workspace: TenantWorkspace, name: str) -> Account:
    """The account of a connection. It asks the service only if the service gives an id."""
    connection = find_connection(workspace, name, where="connection accept")
    with open_client(workspace, name, connection, rate_limiters=RateLimiters()) as client:
        if client.connector.clock is not None and client.connector.clock.account:
            client.read_service_time()
        return describe_account(client)
