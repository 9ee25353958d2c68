"""`connection remove`: removes a connection from the ledger. What it has read stays."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.errors import DeclarationError
from headwater.names import did_you_mean
from headwater.run.pipeline.run import lock_tenant
from headwater.run.workspace import TenantWorkspace


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRemoval:
    """What the removal of a connection deletes, and what stays."""

    tenant: str
    connection: str
    batches: int
    """The number of its reads, which stay in the ledger and the lake."""
    waiting: int
    """The number of its reads that are not complete: the tables do not get them."""

    def describe(self) -> tuple[str, ...]:
        """The removal as lines of text."""
        lines = [
            "deletes the settings, the references to secrets, and the login",
            f"{self.batches} reads stay in the lake, and their records in the tables; a `rebuild` leaves them out",
            "a connection that is added under the same name continues after the last read",
        ]
        if self.waiting:
            lines.append(f"{self.waiting} reads are not complete and will not reach the tables")
        return tuple(lines)


def plan_connection_removal(workspace: TenantWorkspace, name: str) -> ConnectionRemoval:
    """What `remove_connection` would delete. DeclarationError if the connection does not exist or is in the project file."""
    declared = workspace.project.tenants.get(workspace.tenant)
    if declared and name in declared.connections:
        raise DeclarationError(
            f"The connection `{name}` is declared in headwater.yaml.",
            where=workspace.project.origin.find_location("tenants", workspace.tenant, "connections", name),
            details=name,
            hint="remove it from the file",
        )
    stored = [row.name for row in workspace.ledger.list_connections(workspace.tenant)]
    if name not in stored:
        raise DeclarationError(
            f"{workspace.tenant} has no connection `{name}` in the ledger.",
            where="connection remove",
            details=name,
            hint=did_you_mean(name, stored) or "`headwater connection list` lists the connections",
        )
    rows = [row for row in workspace.ledger.list_batches(workspace.tenant) if row.batch.feed.connection == name]
    return ConnectionRemoval(
        tenant=workspace.tenant,
        connection=name,
        batches=len(rows),
        waiting=sum(row.state != "completed" for row in rows),
    )


def remove_connection(workspace: TenantWorkspace, name: str) -> ConnectionRemoval:
    """Delete a connection from the ledger. LeaseHeld while a run of the tenant is in progress."""
    with lock_tenant(workspace):
        removal = plan_connection_removal(workspace, name)
        workspace.ledger.remove_connection(workspace.tenant, name)
        workspace.ledger.save_findings(workspace.tenant, f"connection {name}", [])
    return removal
