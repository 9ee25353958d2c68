"""The settings of DuckDB in a project."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from headwater.model.address import Folder
from headwater.warehouse.base import Warehouse
from headwater.warehouse.settings import Resolve, WarehousePlace, WarehouseSettings

MEMORY = ":memory:"
"""The path of a DuckDB in memory, which ends with its process."""


class DuckDBWarehouse(WarehouseSettings):
    """One DuckDB file a tenant."""

    engine: ClassVar[str] = "headwater.warehouse.duckdb.engine:DuckDB"
    main_option: ClassVar[str] = "path"
    url_examples: ClassVar[tuple[str, ...]] = ("duckdb:PATH",)

    kind: Literal["duckdb"] = "duckdb"
    path: Folder = ".headwater/{tenant}.duckdb"
    """The file; `{tenant}` stands for the tenant, and must be there once there are two."""
    memory: str = ""
    """The most memory DuckDB may use, e.g. `4GB`; DuckDB's own choice when empty."""
    threads: int | None = None
    """Threads of DuckDB. Unless given: one a core, and only one while the file and all writes are small."""
    storage: Literal["v1.0.0", "v1.2.0", "v1.4.0", "v1.5.0", "v2.0.0", "latest"] = "v1.2.0"
    """The oldest DuckDB that opens a file made from now on."""

    @classmethod
    def from_url(cls, text: str) -> Self:
        """Parse a URL: a file per tenant in the given folder, or beside the given file."""
        settings = super().from_url(text)
        if "path" not in settings.model_fields_set:
            return settings
        return settings.model_copy(update={"path": _add_tenant(settings.path)})

    def describe(self, tenant: str) -> str:
        """Return the path of the tenant's file."""
        return self.path.replace("{tenant}", tenant)

    def list_places(self, tenant: str, root: Path) -> tuple[WarehousePlace, ...]:
        """List the tenant's file."""
        return (WarehousePlace(option="path", location=str(root / self.describe(tenant))),)

    @property
    def separates_tenants(self) -> bool:
        """Whether any two tenants have different files, or none."""
        return self.path == MEMORY or super().separates_tenants

    @property
    def exclusive_reason(self) -> str:
        """Why no other process can open this warehouse."""
        if self.path == MEMORY:
            return "no other process can open a warehouse in memory, so there is no process to kill"
        return ""

    def open(self, tenant: str, root: Path, resolve: Resolve, *, read_only: bool = False) -> Warehouse:
        """Open one tenant's file."""
        del resolve
        warehouse: Warehouse = self.import_engine()(
            tenant,
            str(root / self.describe(tenant)),
            memory=self.memory,
            threads=self.threads,
            storage=self.storage,
            read_only=read_only,
        )
        return warehouse


def _add_tenant(path: str) -> str:
    """Return a path per tenant. An existing file at the given path is never used: it may belong to another program."""
    if "{tenant}" in path or path == MEMORY:
        return path
    given = Path(path)
    folder = given.parent if given.suffix or given.is_file() else given
    return str(folder / "{tenant}.duckdb")
