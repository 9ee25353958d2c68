"""`tenant remove`: lists what the removal of a tenant deletes, and removes it."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.errors import DeclarationError
from headwater.names import did_you_mean
from headwater.publish.publish import withdraw
from headwater.run.isolation import list_tenant_places
from headwater.run.pipeline.run import lock_tenant
from headwater.run.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What the removal of a tenant deletes."""

    tenant: str
    connections: tuple[str, ...]
    """Connections to delete from the ledger."""
    batches: int
    """The number of batches to delete, with their windows: a tenant with this name would read everything again."""
    refused: int
    """The number of records in quarantine to delete."""
    erased: tuple[str, ...]
    """Locations to erase with their content; empty if files and tables stay."""

    def describe(self) -> tuple[str, ...]:
        """The removal as lines of text."""
        names = f" ({', '.join(self.connections)})" if self.connections else ""
        counted = f"{len(self.connections)} connections{names}, {self.batches} reads, {self.refused} refused records"
        places = tuple(f"erases {place}" for place in self.erased) or ("its files and tables stay",)
        return (f"deletes {counted}", *places)


def plan_removal(workspace: Workspace, name: str, *, erase: bool = False) -> Removal:
    """What `remove_tenant` would delete. DeclarationError if there is no such tenant, or the project file declares it."""
    if name in workspace.project.tenants:
        raise DeclarationError(
            f"The tenant `{name}` is declared in headwater.yaml, so the next command would add it again.",
            where=workspace.project.origin.find_location("tenants", name),
            details=name,
            hint="remove it from the file first, then repeat the command",
        )
    ledger = workspace.ledger
    tenants = {*workspace.list_tenants(), *ledger.list_tenants_with_runs()}
    if name not in tenants:
        raise DeclarationError(
            f"There is no tenant `{name}`.", where="tenant remove", details=name, hint=did_you_mean(name, tenants)
        )
    if erase:
        workspace.check_isolation()
    places = list_tenant_places(workspace.project, name, workspace.root) if erase else ()
    return Removal(
        tenant=name,
        connections=tuple(row.name for row in ledger.list_connections(name)),
        batches=len(ledger.list_batches(name)),
        refused=len(ledger.list_refused(name)),
        erased=tuple(f"{place.setting}: {place.shown}" for place in places),
    )


def remove_tenant(workspace: Workspace, name: str, *, erase: bool = False) -> Removal:
    """Delete a tenant from the ledger. With `erase`, also delete its lake, its tables and its publications.

    LeaseHeld while a run of the tenant is in progress.
    """
    removal = plan_removal(workspace, name, erase=erase)
    tenant = workspace.open_tenant(name)
    with lock_tenant(tenant):
        if erase:
            # The data goes first, then the name: after an interruption, the command can be repeated.
            warehouse, lake = tenant.open_warehouse(), tenant.open_owned_lake()
            warehouse.erase()
            lake.clear(name)
            withdraw(workspace.project.publish, name, workspace.root)
        workspace.ledger.remove_tenant(name)
    return removal
