"""What a project says of DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from headwater.model.address import Folder
from headwater.warehouse.base import Warehouse
from headwater.warehouse.settings import Resolve, WarehousePlace, WarehouseSettings

MEMORY = ":memory:"
"""The path of a DuckDB that is gone when its process is."""


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
    """Threads of DuckDB; one a core unless given."""
    storage: Literal["v1.0.0", "v1.2.0", "v1.4.0", "v1.5.0", "v2.0.0", "latest"] = "v1.2.0"
    """The oldest DuckDB that opens a file made from now on."""

    @classmethod
    def from_url(cls, text: str) -> Self:
        """The settings that a URL means: a file for each tenant beside the one that is named, or in the folder."""
        found = super().from_url(text)
        if "path" not in found.model_fields_set:
            return found
        return found.model_copy(update={"path": _add_tenant(found.path)})

    def describe(self, tenant: str) -> str:
        """The tenant's file."""
        return self.path.replace("{tenant}", tenant)

    def list_places(self, tenant: str, root: Path) -> tuple[WarehousePlace, ...]:
        """The tenant's file."""
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
        """One tenant's file."""
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
    """A path for each tenant: a file that is there already may belong to somebody."""
    if "{tenant}" in path or path == MEMORY:
        return path
    found = Path(path)
    folder = found.parent if found.suffix or found.is_file() else found
    return str(folder / "{tenant}.duckdb")
