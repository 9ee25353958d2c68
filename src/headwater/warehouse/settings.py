"""What `warehouse:` in a project file says of one kind of engine, and how that engine is opened. A plug-in begins here.

The entry point `headwater.warehouses` names a subclass of `WarehouseSettings`. Its module imports no driver: the class of
the engine is named by a text, and imported when a warehouse is opened.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl

from headwater.declared import Declared
from headwater.errors import DeclarationError
from headwater.warehouse.base import Warehouse

Resolve = Callable[[str, str], str]
"""Takes a text, and the option that holds it: gives the text, or the secret that it is a reference to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehousePlace:
    """One place where an engine keeps a tenant's tables. No other tenant may have it, lie in it, or hold it."""

    location: str
    """A folder, a file or an address; or a name within a server, see `is_name`."""
    option: str = ""
    """The option that names it, e.g. `path`; empty where none does."""
    is_name: bool = False
    """Whether it is a name within a server. Names are compared with those of the same kind of engine."""
    hint: str = ""
    """How to set two tenants apart that have the same place."""


class WarehouseSettings(Declared):
    """What `warehouse:` says of one kind of engine. A subclass has a field for each option, with a line on what it means."""

    engine: ClassVar[str]
    """Module and class of the engine, e.g. `headwater.warehouse.duckdb.engine:DuckDB`."""
    requirement: ClassVar[str] = ""
    """What to install for the engine's driver, e.g. `headwater[postgres]`."""
    schemes: ClassVar[tuple[str, ...]] = ()
    """How URLs begin, besides with the kind, that `from_url` takes."""
    main_option: ClassVar[str] = "url"
    """The option that a URL gives first."""
    url_examples: ClassVar[tuple[str, ...]] = ()
    """URLs that `from_url` takes, to be shown in help and errors."""

    kind: str

    @classmethod
    def from_url(cls, text: str) -> Self:
        """The settings that a URL means, `KIND:MAIN_OPTION?OPTION=VALUE&…`; ValueError where it means none."""
        kind, _, rest = text.partition(":")
        first, _, more = rest.partition("?")
        values: dict[str, Any] = dict(parse_qsl(more))
        if first:
            values[cls.main_option] = first
        return cls.model_validate({"kind": kind, **values})

    def describe(self, tenant: str) -> str:
        """Where a tenant's tables are, to be read by a person."""
        raise NotImplementedError

    def places(self, tenant: str, root: Path) -> tuple[WarehousePlace, ...]:
        """The places that a tenant has; `root` is the folder of the project."""
        del root
        return (WarehousePlace(location=self.describe(tenant), is_name=True, hint="rename one of them"),)

    def separates_tenants(self) -> bool:
        """Whether any two tenants have different places."""
        return self.describe("one") != self.describe("another")

    def exclusive_reason(self) -> str:
        """Why no other process can open this warehouse; empty where one can."""
        return ""

    def open(self, tenant: str, root: Path, resolve: Resolve, *, read_only: bool = False) -> Warehouse:
        """One tenant's warehouse. Relative paths count from `root`."""
        raise NotImplementedError

    def import_engine(self) -> Any:
        """The class of the engine; DeclarationError where its driver is not installed."""
        module, _, name = self.engine.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError as error:
            raise DeclarationError(
                f"The driver of the {self.kind} warehouse is not installed.",
                where=str(self.origin),
                details=str(error),
                hint=f'pip install "{self.requirement}"' if self.requirement else "",
            ) from error
