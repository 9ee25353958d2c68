"""The contracts of a connector: their fields as data, and their classes when a record is read."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel

from headwater.errors import DeclarationError
from headwater.model.connector import Connector
from headwater.model.contract_module import NODES, ContractNodes, build_key, load_module
from headwater.model.field import Node, build_contract, build_nodes
from headwater.model.resource import Resource


class ConnectorContracts(Mapping[str, type[BaseModel]]):
    """The contract of each resource of a connector. A class is built, and its module imported, when it is first used."""

    def __init__(self, connector: Connector, package: str, file: Path | None = None) -> None:
        """`package` has the module `schemas` of an installed connector, `file` is the `schemas.py` of a project's."""
        self._connector = connector
        self._package = package
        self._file = file
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
        """The nodes of all contracts that resources name."""
        if self._body is None:
            return self._build_from_classes()
        key = build_key("module", hashlib.sha256(self._body).hexdigest(), self._names)
        if (kept := NODES.get(key)) is not None:
            return kept
        nodes = self._build_from_classes()
        # An imported module may depend on other files than the one that was read.
        return NODES.keep(key, nodes) if self._closed_module else nodes

    @cached_property
    def _body(self) -> bytes | None:
        """The content of the module; None if it is not one file, or if its classes are loaded and cost nothing."""
        if self._file is not None:
            return _read_file(self._file)
        return None if f"{self._package}.schemas" in sys.modules else _read_module(self._package)

    def _build_from_classes(self) -> ContractNodes:
        named = {resource.contract: name for name, resource in self._resources.items() if resource.contract}
        return {contract: build_nodes(self[name]) for contract, name in named.items()}

    def _build_declared(self, resource: Resource) -> tuple[Node, ...]:
        key = build_key("fields", list(resource.fields.items()))
        kept = NODES.get(key)
        return (kept or NODES.keep(key, {"": build_nodes(self[resource.resource])}))[""]

    @cached_property
    def _closed_module(self) -> ModuleType | None:
        """The module, executed from the content that its nodes are kept for; None if it is imported instead."""
        if self._file is not None:
            return _load_file(self._file, self._body or b"")
        return load_module(self._body) if self._body is not None else None

    @cached_property
    def _module(self) -> ModuleType | None:
        if self._closed_module is not None or not self._package:
            return self._closed_module
        return importlib.import_module(f"{self._package}.schemas")

    def _load_class(self, resource: Resource) -> type[BaseModel]:
        if not resource.contract:
            return build_contract(resource.resource, resource.fields)
        contract: type[BaseModel] | None = getattr(self._module, resource.contract, None)
        if contract is None:
            where = self._connector.origin.find_location("resources")
            hint = (
                "" if self._module else "write `schemas.py` beside the manifest: `headwater generate models SPEC OUT`"
            )
            raise DeclarationError(
                f"`{resource.resource}` names a contract that does not exist.",
                where=where,
                details=resource.contract,
                hint=hint,
            )
        return contract


def _read_file(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DeclarationError(
            "The contracts cannot be read.", where=str(file), details=error.strerror or "", hint="check its permissions"
        ) from error


def _load_file(file: Path, body: bytes) -> ModuleType:
    """The contracts of a project. They are data: a module that could do more than name fields is not executed."""
    try:
        module = load_module(body)
    except Exception as error:
        raise DeclarationError(
            "The contracts cannot be loaded.",
            where=str(file),
            details=f"{type(error).__name__}: {error}",
            hint="generate the file again: `headwater generate models SPEC OUT`",
        ) from error
    if module is None:
        raise DeclarationError(
            "The contracts of a project may only name fields.",
            where=str(file),
            details="the file imports, calls or defines something else",
            hint="use `headwater generate models`, or install the connector as a package",
        )
    return module


def _read_module(package: str) -> bytes | None:
    """The content of the module of contracts in a package, or None if it is not one file."""
    try:
        return (files(package) / "schemas.py").read_bytes() if package else None
    except OSError:
        return None
