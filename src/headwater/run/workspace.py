"""An open project: its declarations, connectors, ledger, lakes and warehouses."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from headwater.clock import Clock, SystemClock
from headwater.errors import DeclarationError, DeclarationErrors
from headwater.events import EventListener, discard
from headwater.lake.base import Lake
from headwater.lake.layout import open_lake
from headwater.ledger.base import ConnectionRow, Ledger
from headwater.model.check.context import ValidationContext
from headwater.model.check.entities import check_declarations
from headwater.model.load import load_declarations, load_project
from headwater.model.project import Connection, Declarations, Project
from headwater.model.reason import describe_reason
from headwater.names import check_slug, did_you_mean
from headwater.publish.targets import check_publications
from headwater.run.declaration_cache import load_cache, save_cache
from headwater.run.isolation import check_isolation
from headwater.run.ownership import claim_lake, claim_warehouse, ensure_owner
from headwater.run.plugins import (
    InstalledConnector,
    find_warehouse_settings,
    has_ledger,
    load_blueprint,
    load_connector_plugin,
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
    """A project with loaded and checked declarations. The ledger is opened on first use."""

    root: Path
    project: Project
    declarations: Declarations
    connectors: Mapping[str, InstalledConnector]
    listen: EventListener = discard
    clock: Clock = field(default_factory=SystemClock)
    _checked_tenants: frozenset[str] | None = None

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger."""
        return open_ledger(self.resolve_ledger_url(), self.root)

    @cached_property
    def warehouse_settings(self) -> WarehouseSettings:
        """The settings of the warehouse, as an instance of the settings class of its engine."""
        return load_warehouse_settings(self.project.warehouse)

    def has_ledger(self) -> bool:
        """Whether the ledger exists. Opening it would create it."""
        if "ledger" in self.__dict__:
            return True
        return has_ledger(self.resolve_ledger_url(), self.root)

    def resolve_ledger_url(self) -> str:
        """The URL of the ledger, which may contain a password."""
        where = self.project.origin.find_location("ledger", "url")
        return resolve_ledger_url(self.project.ledger.url, root=self.root, where=where)

    def list_tenants(self) -> tuple[str, ...]:
        """The tenants of the project file and of the ledger, sorted."""
        return tuple(sorted({*self.project.tenants, *self.ledger.list_tenants()}))

    def check_isolation(self, *more: str) -> None:
        """Raise DeclarationErrors if two tenants share a location.

        Tenants that are no longer declared count as long as the ledger has runs of them, because their data still exists.
        """
        if self._checked_tenants is None or not self._checked_tenants.issuperset(more):
            tenants = frozenset({*self.list_tenants(), *self.ledger.list_tenants_with_runs(), *more})
            check_isolation(self.project, sorted(tenants), self.root)
            self._checked_tenants = tenants

    def open_tenant(self, name: str) -> TenantWorkspace:
        """The part of the project that belongs to one tenant."""
        return TenantWorkspace(parent=self, tenant=name)

    def find_connector(self, name: str, *, where: str = "headwater.yaml") -> InstalledConnector:
        """The connector with this name. DeclarationError if there is none."""
        connector = self.connectors.get(name)
        return connector or load_connector_plugin(name, root=self.root, where=where)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "ledger" in self.__dict__:
            self.ledger.close()


@dataclass(frozen=True, kw_only=True)
class TenantWorkspace:
    """One tenant of an open project. All functions that work on the data of a tenant take this value."""

    parent: Workspace
    """The project, with all its tenants."""
    tenant: str
    """The name of the tenant."""

    @property
    def project(self) -> Project:
        """The project."""
        return self.parent.project

    @property
    def declarations(self) -> Declarations:
        """Entities, dimensions, facts and rules."""
        return self.parent.declarations

    @property
    def root(self) -> Path:
        """The folder of the project."""
        return self.parent.root

    @property
    def clock(self) -> Clock:
        """The clock of this machine."""
        return self.parent.clock

    @property
    def listen(self) -> EventListener:
        """The listener for events."""
        return self.parent.listen

    @property
    def ledger(self) -> Ledger:
        """The ledger of all tenants. Its methods take the tenant."""
        return self.parent.ledger

    def find_connector(self, name: str, *, where: str = "headwater.yaml") -> InstalledConnector:
        """The connector with this name. DeclarationError if there is none."""
        return self.parent.find_connector(name, where=where)

    def open_lake(self) -> Lake:
        """Open the tenant's part of the lake."""
        self.parent.check_isolation(self.tenant)
        return open_lake(to_absolute(self.project.lake.locate(self.tenant), self.root), self.tenant)

    def open_owned_lake(self) -> Lake:
        """Open the tenant's part of the lake to write to it. DeclarationError if it belongs to another project."""
        lake = self.open_lake()
        claim_lake(lake, self.load_owner(), self.ledger, where=self.project.origin.find_location("lake", "url"))
        return lake

    def open_warehouse(self, *, read_only: bool = False) -> Warehouse:
        """Open the tenant's warehouse. To write, hold the tenant's lease. DeclarationError if it belongs to another project."""
        self.parent.check_isolation(self.tenant)
        warehouse = open_warehouse(self.parent.warehouse_settings, self.tenant, self.root, read_only=read_only)
        if not read_only:
            try:
                claim_warehouse(
                    warehouse, self.load_owner(), self.ledger, where=self.project.origin.find_location("warehouse")
                )
                upgrade_tables(warehouse)
            except BaseException:
                warehouse.close()
                raise
        return warehouse

    def load_owner(self) -> Owner:
        """The owner of the tenant's locations."""
        return ensure_owner(self.ledger, self.tenant, self.project.name)

    def load_connections(self) -> dict[str, Connection]:
        """The connections of the tenant, from the ledger and the project file. The project file takes precedence."""
        stored = {row.name: _parse_connection(row) for row in self.ledger.list_connections(self.tenant)}
        declared = self.project.tenants.get(self.tenant)
        return {**stored, **(declared.connections if declared else {})}


def open_project(
    root: Path, *, environment: str = "", listen: EventListener = discard, clock: Clock | None = None
) -> Workspace:
    """Load and check the project at `root`. DeclarationErrors with all errors."""
    load_cache(root)
    project = _apply_environment(load_project(root, find_warehouse_settings), environment)
    declarations = Declarations()
    if project.blueprint:
        declarations = load_blueprint(project.blueprint, where=project.origin.find_location("blueprint"))
    if (root / "models").is_dir():
        declarations = declarations.merge(load_declarations(root / "models"))
    declarations = declarations.with_default(project.on_schema_change, project.surrogate)
    connectors = _load_connectors(root, project, declarations)
    fields = {
        name: bronze_fields
        for connector in connectors.values()
        for name, bronze_fields in connector.list_fields().items()
    }
    check_declarations(ValidationContext(declarations=declarations, fields=fields, settings=project.settings))
    check_publications(project, declarations, root)
    _check_policies(project, connectors, root)
    save_cache(root)
    return Workspace(
        root=root,
        project=project,
        declarations=declarations,
        connectors=connectors,
        listen=listen,
        clock=clock or SystemClock(),
    )


def _check_policies(project: Project, connectors: Mapping[str, InstalledConnector], root: Path) -> None:
    """Raise DeclarationErrors if a policy belongs to no resource. Otherwise a misspelled one would have no effect."""
    errors: list[DeclarationError] = []
    for name in project.policies:
        where = project.origin.find_location("policies", name)
        connector, _, resource = name.partition(".")
        plugin = connectors.get(connector) or load_connector_plugin(connector, root=root, where=where)
        names = [f"{connector}.{other}" for other in plugin.contracts]
        if resource not in plugin.contracts:
            errors.append(
                DeclarationError(
                    f"`policies` names `{name}`, which no connector has.",
                    where=where,
                    details=name,
                    hint=did_you_mean(name, names),
                )
            )
    if errors:
        raise DeclarationErrors(errors)


def choose_tenant(workspace: Workspace, tenant: str | None) -> TenantWorkspace:
    """The tenant with this name; without a name, the only tenant. DeclarationError if there is no such tenant."""
    tenants = workspace.list_tenants()
    if tenant is None:
        if len(tenants) == 1:
            workspace.check_isolation()
            return workspace.open_tenant(tenants[0])
        hint = (
            f"add `--tenant`: {', '.join(tenants)}"
            if tenants
            else "declare one under `tenants:`, or use `headwater tenant add NAME`"
        )
        raise DeclarationError("No tenant is selected.", where="--tenant", details=f"{len(tenants)} tenants", hint=hint)
    if tenant not in tenants:
        hint = did_you_mean(tenant, tenants) or "declare it under `tenants:`, or use `headwater tenant add NAME`"
        raise DeclarationError(f"There is no tenant `{tenant}`.", where="--tenant", details=tenant, hint=hint)
    workspace.check_isolation()
    return workspace.open_tenant(check_slug(tenant))


def _parse_connection(row: ConnectionRow) -> Connection:
    """Parse a connection of the ledger. DeclarationError, without its values, if it is no longer valid."""
    try:
        return Connection.model_validate(dict(row.declaration))
    except ValidationError as error:
        first = error.errors()[0]
        raise DeclarationError(
            f"The connection `{row.name}` of the ledger is invalid.",
            where=f"{row.tenant}, connection {row.name}: {'.'.join(map(str, first['loc']))}",
            hint=f"{describe_reason(first)}; `headwater connection add` replaces it",
        ) from None


def _apply_environment(project: Project, environment: str) -> Project:
    if not environment:
        return project
    overrides = project.environments.get(environment)
    if overrides is None:
        hint = did_you_mean(environment, project.environments) or "declare it under `environments:`"
        raise DeclarationError(
            f"There is no environment `{environment}`.", where="--env", details=environment, hint=hint
        )
    return project.with_environment(overrides).with_origin(project.origin)


def _load_connectors(root: Path, project: Project, declarations: Declarations) -> dict[str, InstalledConnector]:
    """Load the connectors that connections use and that feed entities."""
    connectors: dict[str, InstalledConnector] = {}
    for tenant, declared in project.tenants.items():
        for name, connection in declared.connections.items():
            where = project.origin.find_location("tenants", tenant, "connections", name, "connector")
            connectors.setdefault(
                connection.connector, load_connector_plugin(connection.connector, root=root, where=where)
            )
    for entity in declarations.entities.values():
        for source in entity.sources:
            name = source.partition(".")[0]
            if name not in connectors:
                connectors[name] = load_connector_plugin(
                    name, root=root, where=entity.origin.find_location("sources", source)
                )
    return connectors
