"""A project that is open: what is declared, and the places where it keeps things."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from headwater.clock import Clock, SystemClock
from headwater.errors import DeclarationError
from headwater.events import EventListener, discard
from headwater.lake.base import Lake
from headwater.lake.layout import open_lake
from headwater.ledger.base import ConnectionRow, Ledger
from headwater.model.check.context import ValidationContext
from headwater.model.check.entities import check_declarations
from headwater.model.load import load_declarations, load_project
from headwater.model.project import Connection, Declarations, Project
from headwater.names import check_slug, did_you_mean
from headwater.publish.targets import check_publications
from headwater.run.isolation import check_isolation
from headwater.run.ownership import own_lake, own_warehouse, owner_of
from headwater.run.plugins import (
    Plug,
    find_warehouse_settings,
    has_ledger,
    load_blueprint,
    load_plug,
    load_warehouse_settings,
    open_ledger,
    open_warehouse,
)
from headwater.run.secrets import resolve_ledger_url
from headwater.silver.owner import Owner
from headwater.silver.schema.upgrade import upgrade_tables
from headwater.storage.url import to_absolute
from headwater.warehouse.base import Warehouse
from headwater.warehouse.settings import WarehouseSettings


@dataclass(kw_only=True)
class Workspace(AbstractContextManager["Workspace"]):
    """A project whose declarations are loaded and fit together. The ledger opens when it is first needed."""

    root: Path
    project: Project
    declarations: Declarations
    plugs: Mapping[str, Plug]
    listen: EventListener = discard
    clock: Clock = field(default_factory=SystemClock)
    _isolated: frozenset[str] | None = None

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger."""
        return open_ledger(self._ledger_url(), self.root)

    @cached_property
    def warehouse_settings(self) -> WarehouseSettings:
        """What is declared of the warehouse, as its engine knows it."""
        return load_warehouse_settings(self.project.warehouse)

    def has_ledger(self) -> bool:
        """Whether the ledger is there already; opening one that is not makes it."""
        if "ledger" in self.__dict__:
            return True
        return has_ledger(self._ledger_url(), self.root)

    def _ledger_url(self) -> str:
        where = self.project.origin.location_of("ledger", "url")
        return resolve_ledger_url(self.project.ledger.url, root=self.root, where=where)

    def tenants(self) -> tuple[str, ...]:
        """All tenants, of the project file and of the ledger, sorted."""
        return tuple(sorted({*self.project.tenants, *self.ledger.tenants()}))

    def check_isolation(self, *more: str) -> None:
        """Nothing where no tenant reaches what another one has; DeclarationErrors otherwise.

        Tenants that are declared nowhere count as long as runs of theirs are remembered: what they wrote is still there.
        """
        if self._isolated is None or not self._isolated.issuperset(more):
            tenants = frozenset({*self.tenants(), *self.ledger.tenants_with_runs(), *more})
            check_isolation(self.project, sorted(tenants), self.root)
            self._isolated = tenants

    def tenant(self, name: str) -> TenantWorkspace:
        """One tenant's part of the project."""
        return TenantWorkspace(whole=self, tenant=name)

    def plug(self, name: str, *, where: str = "headwater.yaml") -> Plug:
        """The connector of that name."""
        found = self.plugs.get(name)
        return found or load_plug(name, root=self.root, where=where)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "ledger" in self.__dict__:
            self.ledger.close()


@dataclass(frozen=True, kw_only=True)
class TenantWorkspace:
    """One tenant of an open project: what all functions that touch a tenant's data are given."""

    whole: Workspace
    """The project, with all its tenants."""
    tenant: str
    """The tenant's name."""

    @property
    def project(self) -> Project:
        """The project."""
        return self.whole.project

    @property
    def declarations(self) -> Declarations:
        """Entities, dimensions, facts and rules."""
        return self.whole.declarations

    @property
    def root(self) -> Path:
        """The folder of the project."""
        return self.whole.root

    @property
    def clock(self) -> Clock:
        """This machine's clock."""
        return self.whole.clock

    @property
    def listen(self) -> EventListener:
        """Who is told of events."""
        return self.whole.listen

    @property
    def ledger(self) -> Ledger:
        """The ledger of all tenants; its functions take the tenant."""
        return self.whole.ledger

    def plug(self, name: str, *, where: str = "headwater.yaml") -> Plug:
        """The connector of that name."""
        return self.whole.plug(name, where=where)

    def lake(self) -> Lake:
        """The tenant's part of the lake."""
        self.whole.check_isolation(self.tenant)
        return open_lake(to_absolute(self.project.lake.place(self.tenant), self.root), self.tenant)

    def owned_lake(self) -> Lake:
        """The tenant's part of the lake. DeclarationError if it belongs to another project."""
        lake = self.lake()
        own_lake(lake, self.owner(), self.ledger, where=self.project.origin.location_of("lake", "url"))
        return lake

    def warehouse(self, *, read_only: bool = False) -> Warehouse:
        """The tenant's warehouse; hold the tenant's lease to write. DeclarationError if it belongs to another project."""
        self.whole.check_isolation(self.tenant)
        warehouse = open_warehouse(self.whole.warehouse_settings, self.tenant, self.root, read_only=read_only)
        if not read_only:
            try:
                own_warehouse(warehouse, self.owner(), self.ledger, where=self.project.origin.location_of("warehouse"))
                upgrade_tables(warehouse)
            except BaseException:
                warehouse.close()
                raise
        return warehouse

    def owner(self) -> Owner:
        """Who writes the tenant's places."""
        return owner_of(self.ledger, self.tenant, self.project.name)

    def connections(self) -> dict[str, Connection]:
        """The tenant's connections: those of the ledger, and those of the project file, which win."""
        kept = {row.name: _kept(row) for row in self.ledger.connections(self.tenant)}
        declared = self.project.tenants.get(self.tenant)
        return {**kept, **(declared.connections if declared else {})}


def open_project(
    root: Path, *, environment: str = "", listen: EventListener = discard, clock: Clock | None = None
) -> Workspace:
    """The project at `root`, loaded and held against itself; DeclarationErrors with all that does not fit."""
    project = _in_environment(load_project(root, find_warehouse_settings), environment)
    declarations = Declarations()
    if project.blueprint:
        declarations = load_blueprint(project.blueprint, where=project.origin.location_of("blueprint"))
    if (root / "models").is_dir():
        declarations = declarations.merge(load_declarations(root / "models"))
    declarations = declarations.with_default(project.on_schema_change, project.surrogate)
    plugs = _plugs(root, project, declarations)
    fields = {name: found for plug in plugs.values() for name, found in plug.fields().items()}
    check_declarations(ValidationContext(declarations=declarations, fields=fields, settings=project.settings))
    check_publications(project, declarations, root)
    return Workspace(
        root=root, project=project, declarations=declarations, plugs=plugs, listen=listen, clock=clock or SystemClock()
    )


def choose_tenant(workspace: Workspace, tenant: str | None) -> TenantWorkspace:
    """The tenant of that name; without a name, the only one there is."""
    known = workspace.tenants()
    if tenant is None:
        if len(known) == 1:
            workspace.check_isolation()
            return workspace.tenant(known[0])
        hint = (
            f"add `--tenant`: {', '.join(known)}"
            if known
            else "declare one under `tenants:`, or use `headwater tenant add NAME`"
        )
        raise DeclarationError("No tenant is selected.", where="--tenant", details=f"{len(known)} tenants", hint=hint)
    if tenant not in known:
        hint = did_you_mean(tenant, known) or "declare it under `tenants:`, or use `headwater tenant add NAME`"
        raise DeclarationError(f"There is no tenant `{tenant}`.", where="--tenant", details=tenant, hint=hint)
    workspace.check_isolation()
    return workspace.tenant(check_slug(tenant))


def _kept(row: ConnectionRow) -> Connection:
    """A connection of the ledger; DeclarationError, without what stands there, where it cannot be meant any more."""
    try:
        return Connection.model_validate(dict(row.declaration))
    except ValidationError as error:
        first = error.errors()[0]
        raise DeclarationError(
            f"The connection `{row.name}` of the ledger is invalid.",
            where=f"{row.tenant}, connection {row.name}: {'.'.join(map(str, first['loc']))}",
            hint=f"{str(first['msg']).removeprefix('Value error, ')}; `headwater connection add` replaces it",
        ) from None


def _in_environment(project: Project, environment: str) -> Project:
    if not environment:
        return project
    found = project.environments.get(environment)
    if found is None:
        hint = did_you_mean(environment, project.environments) or "declare it under `environments:`"
        raise DeclarationError(
            f"There is no environment `{environment}`.", where="--env", details=environment, hint=hint
        )
    return project.in_environment(found).with_origin(project.origin)


def _plugs(root: Path, project: Project, declarations: Declarations) -> dict[str, Plug]:
    """The connectors that connections use and that entities are fed by (those that are there)."""
    plugs: dict[str, Plug] = {}
    for tenant, declared in project.tenants.items():
        for name, connection in declared.connections.items():
            where = project.origin.location_of("tenants", tenant, "connections", name, "connector")
            plugs.setdefault(connection.connector, load_plug(connection.connector, root=root, where=where))
    for entity in declarations.entities.values():
        for source in entity.sources:
            name = source.partition(".")[0]
            if name not in plugs:
                plugs[name] = load_plug(name, root=root, where=entity.origin.location_of("sources", source))
    return plugs
