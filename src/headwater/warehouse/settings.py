"""The settings under `warehouse:` in a project file, for each kind of engine. A plug-in starts here.

The entry point `headwater.warehouses` names a subclass of `WarehouseSettings`. Its module imports no driver: the class of
the engine is given as text, and imported when a warehouse is opened.
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
"""Takes a text and the name of its option. Returns the text, or the secret if the text is a reference to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehousePlace:
    """A location of a tenant's tables. It must not equal, contain, or be inside that of another tenant."""

    location: str
    """A folder, a file or an address; or a name within a server, see `is_name`."""
    option: str = ""
    """The option that sets it, e.g. `path`; empty if none does."""
    is_name: bool = False
    """Whether it is a name within a server. Names are compared with those of the same kind of engine."""
    hint: str = ""
    """How to separate two tenants with the same location."""


class WarehouseSettings(Declared):
    """The settings of one kind of engine. A subclass has a field for each option, with a docstring."""

    engine: ClassVar[str]
    """Module and class of the engine, e.g. `headwater.warehouse.duckdb.engine:DuckDB`."""
    requirement: ClassVar[str] = ""
    """What to install for the engine's driver, e.g. `headwater[postgres]`."""
    schemes: ClassVar[tuple[str, ...]] = ()
    """Other URL schemes that `from_url` accepts besides the kind."""
    main_option: ClassVar[str] = "url"
    """The option that the first part of a URL sets."""
    url_examples: ClassVar[tuple[str, ...]] = ()
    """Examples of URLs for `from_url`, shown in help and errors."""

    exports: ClassVar[bool] = True
    """Whether the engine can write its tables to files, see `CanExport`, so that a project can `publish:` them."""

    kind: str

    @classmethod
    def from_url(cls, text: str) -> Self:
        """Parse a URL `KIND:MAIN_OPTION?OPTION=VALUE&…`. Raises ValueError if it is invalid."""
        kind, _, rest = text.partition(":")
        first, _, more = rest.partition("?")
        values: dict[str, Any] = dict(parse_qsl(more))
        if first:
            values[cls.main_option] = first
        return cls.model_validate({"kind": kind, **values})

    def describe(self, tenant: str) -> str:
        """Describe in words where a tenant's tables are."""
        raise NotImplementedError

    def list_places(self, tenant: str, root: Path) -> tuple[WarehousePlace, ...]:
        """List the locations of a tenant's tables. `root` is the folder of the project."""
        del root
        return (WarehousePlace(location=self.describe(tenant), is_name=True, hint="rename one of them"),)

    @property
    def separates_tenants(self) -> bool:
        """Whether any two tenants have different locations."""
        return self.describe("one") != self.describe("another")

    @property
    def exclusive_reason(self) -> str:
        """Why no other process can open this warehouse; empty if one can."""
        return ""

    def open(self, tenant: str, root: Path, resolve: Resolve, *, read_only: bool = False) -> Warehouse:
        """Open one tenant's warehouse. Paths are relative to `root`."""
        raise NotImplementedError

    def import_engine(self) -> Any:
        """Import the class of the engine. Raises DeclarationError if its driver is not installed."""
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
