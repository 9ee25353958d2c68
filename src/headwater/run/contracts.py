"""The contracts of a connector: their fields as data, and their classes when a record is read."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.resources import files
from types import ModuleType

from pydantic import BaseModel

from headwater.errors import DeclarationError
from headwater.model.connector import Connector
from headwater.model.contract_module import NODES, ContractNodes, build_key, read_nodes
from headwater.model.field import Node, build_contract, build_nodes
from headwater.model.resource import Resource


class ConnectorContracts(Mapping[str, type[BaseModel]]):
    """The contract of each resource of a connector. A class is built, and its module imported, when it is first used."""

    def __init__(self, connector: Connector, package: str) -> None:
        self._connector = connector
        self._package = package
        self._resources = {resource.resource: resource for resource in connector.resources}
        self._classes: dict[str, type[BaseModel]] = {}
        self._names = sorted({resource.contract for resource in connector.resources if resource.contract})

    def __getitem__(self, name: str) -> type[BaseModel]:
        if name not in self._classes:
            self._classes[name] = self._load_class(self._resources[name])
        return self._classes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)

    def get_nodes(self, name: str) -> tuple[Node, ...]:
        """The keys of the records of a resource, nested as in the record."""
        resource = self._resources[name]
        return self._module_nodes[resource.contract] if resource.contract else self._build_declared(resource)

    @cached_property
    def _module_nodes(self) -> ContractNodes:
        """The nodes of all contracts that resources name. They come from the classes if those are already loaded."""
        body = None if f"{self._package}.schemas" in sys.modules else _read_module(self._package)
        if body is None:
            return self._build_from_classes()
        key = build_key("module", hashlib.sha256(body).hexdigest(), self._names)
        if (kept := NODES.get(key)) is not None:
            return kept
        nodes = self._build_from_classes()
        # The classes may come from a stale file of byte code, or from another file than the one that was read.
        return NODES.keep(key, nodes) if read_nodes(body, self._names) == nodes else nodes

    def _build_from_classes(self) -> ContractNodes:
        named = {resource.contract: name for name, resource in self._resources.items() if resource.contract}
        return {contract: build_nodes(self[name]) for contract, name in named.items()}

    def _build_declared(self, resource: Resource) -> tuple[Node, ...]:
        key = build_key("fields", list(resource.fields.items()))
        kept = NODES.get(key)
        return (kept or NODES.keep(key, {"": build_nodes(self[resource.resource])}))[""]

    @cached_property
    def _module(self) -> ModuleType | None:
        return importlib.import_module(f"{self._package}.schemas") if self._package else None

    def _load_class(self, resource: Resource) -> type[BaseModel]:
        if not resource.contract:
            return build_contract(resource.resource, resource.fields)
        contract: type[BaseModel] | None = getattr(self._module, resource.contract, None)
        if contract is None:
            where = self._connector.origin.find_location("resources")
            raise DeclarationError(
                f"`{resource.resource}` names a contract that does not exist.", where=where, details=resource.contract
            )
        return contract


def _read_module(package: str) -> bytes | None:
    """The content of the module of contracts in a package, or None if it is not one file."""
    try:
        return (files(package) / "schemas.py").read_bytes() if package else None
    except OSError:
        return None
