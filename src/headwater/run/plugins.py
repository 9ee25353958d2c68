"""Loads plug-ins by entry point: connectors, blueprints, warehouses and ledgers. `model.auth_kinds` loads auth kinds."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import as_file, files
from pathlib import Path

from headwater.errors import DeclarationError
from headwater.ledger.base import Ledger, LedgerPlugin
from headwater.model.connector import Connector
from headwater.model.field import Field, flatten_nodes
from headwater.model.load import load_connector, load_declarations
from headwater.model.project import Declarations, WarehouseOptions
from headwater.names import did_you_mean
from headwater.run.contracts import ConnectorContracts
from headwater.run.secrets import resolve_url
from headwater.warehouse.base import Capabilities, Warehouse
from headwater.warehouse.settings import WarehouseSettings

CONNECTORS = "headwater.connectors"
BLUEPRINTS = "headwater.blueprints"
LEDGERS = "headwater.ledgers"
WAREHOUSES = "headwater.warehouses"
"""The groups of entry points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledConnector:
    """A connector: its manifest, and the contract of each of its resources."""

    connector: Connector
    contracts: ConnectorContracts
    folder: Path | None = None
    """The folder of its manifest."""
    schemas: Path | None = None
    """The file of its contracts, if it is no package."""

    def list_fields(self) -> dict[str, tuple[Field, ...]]:
        """The bronze fields of each resource, by `connector.resource`."""
        name = self.connector.connector
        return {f"{name}.{resource}": self.get_fields(resource) for resource in self.contracts}

    def get_fields(self, resource: str) -> tuple[Field, ...]:
        """The bronze fields of a resource."""
        return flatten_nodes(self.contracts.get_nodes(resource))


def list_connector_names() -> tuple[str, ...]:
    """The installed connectors, sorted."""
    return _list_names(CONNECTORS)


def load_connector_plugin(name: str, *, root: Path | None = None, where: str = "headwater.yaml") -> InstalledConnector:
    """Load the connector `name`: from the project at `root` if it has one with this name, otherwise an installed one."""
    point = _find_entry_point(CONNECTORS, name)
    if root is not None and (manifest := root / "connectors" / name / "connector.yaml").is_file():
        # A copy of an installed manifest in a project still uses the installed contracts, unless it has its own.
        schemas = manifest.with_name("schemas.py")
        file = schemas if schemas.is_file() else None
        return _install(load_connector(manifest), point.value if point else "", manifest.parent, file)
    if point is None:
        hint = did_you_mean(name, list_connector_names()) or "`headwater connector list` lists the installed connectors"
        raise DeclarationError(f"There is no connector `{name}`.", where=where, details=name, hint=hint)
    with as_file(files(point.value)) as folder:
        connector = load_connector(folder / "connector.yaml")
    return _install(connector, point.value, folder)


def load_connector_folder(folder: Path) -> InstalledConnector:
    """Load the connector in `folder`, wherever it is."""
    schemas = folder / "schemas.py"
    return _install(load_connector(folder / "connector.yaml"), "", folder, schemas if schemas.is_file() else None)


def list_blueprint_names() -> tuple[str, ...]:
    """The installed blueprints, sorted."""
    return _list_names(BLUEPRINTS)


def load_blueprint(name: str, *, where: str) -> Declarations:
    """Load the declarations of a blueprint."""
    point = _find_entry_point(BLUEPRINTS, name)
    if point is None:
        hint = did_you_mean(name, list_blueprint_names())
        raise DeclarationError(f"There is no blueprint `{name}`.", where=where, details=name, hint=hint)
    with as_file(files(point.value)) as folder:
        return load_declarations(folder / "models", shown=f"{name} blueprint")


def open_ledger(url: str, root: Path) -> Ledger:
    """Open the ledger at `url`; create or upgrade it if needed. Relative paths start at `root`."""
    return _load_ledger(url)(url, root=root)


def has_ledger(url: str, root: Path) -> bool:
    """Whether the ledger at `url` exists. Opening it would create it."""
    return _load_ledger(url).exists(url, root=root)


def _load_ledger(url: str) -> LedgerPlugin:
    plugin: LedgerPlugin = find_ledger(url).load()
    return plugin


def find_ledger(url: str, *, where: str = "headwater.yaml") -> EntryPoint:
    """The entry point for the scheme of a ledger URL. DeclarationError if it is not installed."""
    kind = url.partition(":")[0].partition("+")[0]
    point = _find_entry_point(LEDGERS, kind)
    if point is None:
        kinds = ", ".join(_list_names(LEDGERS))
        raise DeclarationError(
            "This kind of ledger is not installed.",
            where=where,
            details=f"{kind}:…",
            hint=f"one of: {kinds}",
        )
    return point


def list_warehouse_kinds() -> tuple[str, ...]:
    """The installed kinds of engine, sorted."""
    return _list_names(WAREHOUSES)


@cache  # the search for an entry point reads the metadata of every installed distribution
def find_warehouse_settings(kind: str) -> type[WarehouseSettings]:
    """The settings class of a kind of engine. ValueError if it is not installed, or its plug-in is broken."""
    point = _find_entry_point(WAREHOUSES, kind)
    if point is None:
        msg = f"this kind of warehouse is not installed; installed: {', '.join(list_warehouse_kinds())}"
        raise ValueError(msg)
    try:
        settings = point.load()
    except (ImportError, AttributeError) as error:
        msg = f"the plug-in {point.value} cannot be imported: {error}"
        raise ValueError(msg) from error
    if not (isinstance(settings, type) and issubclass(settings, WarehouseSettings)):
        msg = f"the plug-in {point.value} is not a subclass of headwater.warehouse.settings.WarehouseSettings"
        raise ValueError(msg)  # noqa: TRY004 - an error of the declaration, which pydantic reports
    return settings


def list_warehouse_settings() -> tuple[type[WarehouseSettings], ...]:
    """The settings classes of all kinds of engine, without broken plug-ins."""
    settings: list[type[WarehouseSettings]] = []
    for kind in list_warehouse_kinds():
        with suppress(ValueError):
            settings.append(find_warehouse_settings(kind))
    return tuple(settings)


def load_warehouse_settings(options: WarehouseOptions) -> WarehouseSettings:
    """Validate the options of a warehouse with the settings class of its engine. ValueError if they are invalid."""
    return find_warehouse_settings(options.kind).model_validate(options.as_dict()).with_origin(options.origin)


def open_warehouse(settings: WarehouseSettings, tenant: str, root: Path, *, read_only: bool = False) -> Warehouse:
    """Open the warehouse of one tenant."""

    def resolve_option(text: str, option: str) -> str:
        return resolve_url(text, root=root, where=settings.origin.find_location(option))

    return settings.open(tenant, root, resolve_option, read_only=read_only)


def find_capabilities(settings: WarehouseSettings) -> Capabilities:
    """The capabilities of a kind of warehouse, without opening one."""
    capabilities: Capabilities = settings.import_engine().capabilities
    return capabilities


def _install(connector: Connector, package: str, folder: Path, file: Path | None = None) -> InstalledConnector:
    contracts = ConnectorContracts(connector, package, file)
    return InstalledConnector(connector=connector, contracts=contracts, folder=folder, schemas=file)


def _find_entry_point(group: str, name: str) -> EntryPoint | None:
    return next((point for point in _list_entry_points(group) if point.name == name), None)


def _list_names(group: str) -> tuple[str, ...]:
    return tuple(sorted({point.name for point in _list_entry_points(group)}))


def _list_entry_points(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group. They are read again after a distribution was installed or removed."""
    return _read_entry_points(_list_folders()).get(group, ())


@lru_cache(maxsize=1)  # the search reads the metadata of every installed distribution
def _read_entry_points(_folders: tuple[tuple[str, int], ...]) -> dict[str, tuple[EntryPoint, ...]]:
    found = entry_points()
    return {group: tuple(found.select(group=group)) for group in (CONNECTORS, BLUEPRINTS, LEDGERS, WAREHOUSES)}


def list_plugin_versions() -> tuple[str, ...]:
    """The distributions of other people that add something, as `name==version`, sorted."""
    return _read_plugin_versions(_list_folders())


@lru_cache(maxsize=1)  # a worker asks each second
def _read_plugin_versions(folders: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    points = (point for group in _read_entry_points(folders).values() for point in group)
    found = {(point.dist.name, point.dist.version) for point in points if point.dist is not None}
    return tuple(sorted(f"{name}=={version}" for name, version in found if name != "headwater"))


def _list_folders() -> tuple[tuple[str, int], ...]:
    return tuple((folder, _read_change_time(folder)) for folder in sys.path)


def _read_change_time(folder: str) -> int:
    """When an entry of a folder was last added or removed, as a distribution is."""
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0
