"""Plugs, found by entry point: connectors, blueprints, warehouses, ledgers. The only importer by name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from headwater.errors import DeclarationError
from headwater.ledger.base import Ledger
from headwater.model.address import is_reference
from headwater.model.connector import Connector
from headwater.model.field import Field, build_contract, contract_fields
from headwater.model.load import load_connector, load_declarations
from headwater.model.project import (
    Declarations,
    DuckDBWarehouse,
    FilesWarehouse,
    RedshiftWarehouse,
    SparkWarehouse,
    WarehouseSettings,
)
from headwater.model.resource import Resource
from headwater.names import did_you_mean
from headwater.run.secrets import resolve, resolve_url
from headwater.storage.url import to_absolute
from headwater.warehouse.base import Capabilities, Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Plug:
    """A connector that is ready to be used: its manifest, and the contract of each of its resources."""

    connector: Connector
    contracts: Mapping[str, type[BaseModel]]

    def fields(self) -> dict[str, tuple[Field, ...]]:
        """The bronze fields of each resource, by `connector.resource`."""
        name = self.connector.connector
        return {f"{name}.{resource}": contract_fields(contract) for resource, contract in self.contracts.items()}


def connector_names() -> tuple[str, ...]:
    """The connectors that are installed, sorted."""
    return tuple(sorted(point.name for point in entry_points(group="headwater.connectors")))


def load_plug(name: str, *, root: Path | None = None, where: str = "headwater.yaml") -> Plug:
    """The connector `name`: of the project at `root` if it has one of that name, else an installed one."""
    point = _point("headwater.connectors", name)
    if root is not None and (own := root / "connectors" / name / "connector.yaml").is_file():
        # A project's copy of an installed manifest goes on using that one's contracts.
        return _plug(load_connector(own), f"{point.value}.schemas" if point else None)
    if point is None:
        hint = did_you_mean(name, connector_names()) or "`headwater connector list` shows those that are installed"
        raise DeclarationError(f"No connector is called `{name}`.", where=where, saw=name, hint=hint)
    with as_file(files(point.value)) as folder:
        connector = load_connector(folder / "connector.yaml")
    return _plug(connector, f"{point.value}.schemas")


def blueprint_names() -> tuple[str, ...]:
    """The blueprints that are installed, sorted."""
    return tuple(sorted(point.name for point in entry_points(group="headwater.blueprints")))


def load_blueprint(name: str, *, where: str) -> Declarations:
    """The declarations that ship under `name`."""
    point = _point("headwater.blueprints", name)
    if point is None:
        hint = did_you_mean(name, blueprint_names())
        raise DeclarationError(f"No blueprint is called `{name}`.", where=where, saw=name, hint=hint)
    with as_file(files(point.value)) as folder:
        return load_declarations(folder / "models", shown=f"{name} blueprint")


def open_ledger(url: str) -> Ledger:
    """The ledger at `url`, brought to this version's form."""
    ledger: Ledger = find_ledger(url).load()(url)
    return ledger


def find_ledger(url: str) -> EntryPoint:
    """The kind of ledger that a URL names; DeclarationError where it is not installed."""
    kind = url.partition(":")[0].partition("+")[0]
    point = _point("headwater.ledgers", kind)
    if point is None:
        known = ", ".join(sorted(point.name for point in entry_points(group="headwater.ledgers")))
        raise DeclarationError(
            "No ledger of this kind is installed.", where="headwater.yaml", saw=f"{kind}:…", hint=f"one of: {known}"
        )
    return point


def open_warehouse(settings: WarehouseSettings, tenant: str, root: Path, *, read_only: bool = False) -> Warehouse:
    """One tenant's warehouse."""
    kind = _warehouse_kind(settings.kind)
    warehouse: Warehouse
    if isinstance(settings, DuckDBWarehouse):
        path = str(root / settings.place(tenant))
        warehouse = kind(
            tenant,
            path,
            memory=settings.memory,
            threads=settings.threads,
            storage=settings.storage,
            read_only=read_only,
        )
    elif isinstance(settings, FilesWarehouse):
        warehouse = kind(
            tenant,
            to_absolute(settings.folder(tenant), root),
            settings.format,
            settings.memory,
            threads=settings.threads,
            read_only=read_only,
        )
    elif isinstance(settings, RedshiftWarehouse):
        url, stage, role = (
            resolve_url(getattr(settings, name), root=root, where=settings.origin.location_of(name))
            for name in ("url", "stage", "iam_role")
        )
        warehouse = kind(tenant, url, stage=stage, iam_role=role, read_only=read_only)
    elif isinstance(settings, SparkWarehouse):
        warehouse = _spark(kind, settings, tenant, root, read_only=read_only)
    else:
        url = resolve_url(settings.url, root=root, where=settings.origin.location_of("url"))
        warehouse = kind(tenant, url, memory=settings.memory, read_only=read_only)
    return warehouse


def find_capabilities(settings: WarehouseSettings) -> Capabilities:
    """What a kind of warehouse can do, without opening one."""
    capabilities: Capabilities = _warehouse_kind(settings.kind).capabilities
    return capabilities


def _spark(kind: Any, settings: SparkWarehouse, tenant: str, root: Path, *, read_only: bool) -> Warehouse:
    """One tenant's databases in Spark; in local mode their files are in a folder of the project."""
    url = resolve_url(settings.url, root=root, where=settings.origin.location_of("url")) if settings.url else ""
    path = settings.folder(tenant)
    if url.startswith("local"):
        path = str(root / (path or ".headwater/spark"))
    where = settings.origin.location_of("settings")
    given = {
        name: resolve(value, root=root, where=where) if is_reference(value) else value
        for name, value in settings.settings.items()
    }
    told = {**({"spark.driver.memory": settings.memory} if settings.memory else {}), **given}
    warehouse: Warehouse = kind(tenant, url, path, table_format=settings.format, settings=told, read_only=read_only)
    return warehouse


def _warehouse_kind(name: str) -> Any:
    point = _point("headwater.warehouses", name)
    hint = f'pip install "headwater[{name}]"'
    if point is None:
        raise DeclarationError("This warehouse is not installed.", where="headwater.yaml", saw=name, hint=hint)
    try:
        return point.load()
    except ImportError as error:
        raise DeclarationError(
            f"The driver of the {name} warehouse is not installed.", where="headwater.yaml", saw=str(error), hint=hint
        ) from error


def _plug(connector: Connector, schemas: str | None) -> Plug:
    module = importlib.import_module(schemas) if schemas and any(_named(connector)) else None
    contracts = {resource.resource: _contract(resource, module, connector) for resource in connector.resources}
    return Plug(connector=connector, contracts=contracts)


def _named(connector: Connector) -> Iterator[str]:
    return (resource.contract for resource in connector.resources if resource.contract)


def _contract(resource: Resource, module: Any, connector: Connector) -> type[BaseModel]:
    if not resource.contract:
        return build_contract(resource.resource, resource.fields)
    found = getattr(module, resource.contract, None)
    if found is None:
        where = connector.origin.location_of("resources")
        raise DeclarationError(
            f"`{resource.resource}` names a contract that is not there.", where=where, saw=resource.contract
        )
    contract: type[BaseModel] = found
    return contract


def _point(group: str, name: str) -> EntryPoint | None:
    return next(iter(entry_points(group=group, name=name)), None)
