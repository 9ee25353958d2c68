"""The settings of the files warehouse in a project."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from headwater.model.address import Place
from headwater.storage.url import to_absolute
from headwater.warehouse.base import Warehouse
from headwater.warehouse.settings import Resolve, WarehousePlace, WarehouseSettings


class FilesWarehouse(WarehouseSettings):
    """A folder of files per tenant, without a database: DuckDB runs the SQL, and a manifest lists the current files."""

    engine: ClassVar[str] = "headwater.warehouse.files.engine:Files"
    requirement: ClassVar[str] = "headwater[files]"
    url_examples: ClassVar[tuple[str, ...]] = ("files:FOLDER",)

    kind: Literal["files"]
    url: Place = ".headwater/tables"
    """A folder, `s3://bucket/prefix` or `abfss://…`. Each tenant has its own folder in it."""
    format: Literal["parquet", "csv", "delta"] = "parquet"
    """The format of the stored tables."""
    memory: str = ""
    """The most memory DuckDB may use, e.g. `4GB`; beyond it, it spills to a temporary folder. Its own choice when empty."""
    threads: int | None = None
    """Threads of DuckDB; one a core unless given."""

    def describe(self, tenant: str) -> str:
        """Describe the tenant's folder and the format of its files."""
        return f"{self.resolve_folder(tenant)}/{tenant} ({self.format})"

    def resolve_folder(self, tenant: str) -> str:
        """Return the folder or bucket that contains the tenant's folder."""
        return self.url.replace("{tenant}", tenant).rstrip("/")

    def list_places(self, tenant: str, root: Path) -> tuple[WarehousePlace, ...]:
        """List the tenant's folder."""
        return (WarehousePlace(option="url", location=f"{to_absolute(self.resolve_folder(tenant), root)}/{tenant}"),)

    def open(self, tenant: str, root: Path, resolve: Resolve, *, read_only: bool = False) -> Warehouse:
        """Open one tenant's folder."""
        del resolve
        warehouse: Warehouse = self.import_engine()(
            tenant,
            to_absolute(self.resolve_folder(tenant), root),
            self.format,
            self.memory,
            threads=self.threads,
            read_only=read_only,
        )
        return warehouse
