"""What a project says of the engine."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from headwater.model.address import Folder
from headwater.warehouse.base import Warehouse
from headwater.warehouse.settings import Resolve, WarehousePlace, WarehouseSettings


class MemoWarehouse(WarehouseSettings):
    """One memo file a tenant."""

    engine: ClassVar[str] = "headwater_memo.engine:Memo"
    requirement: ClassVar[str] = "headwater-memo"
    main_option: ClassVar[str] = "folder"
    url_examples: ClassVar[tuple[str, ...]] = ("memo:FOLDER",)

    kind: Literal["memo"]
    folder: Folder
    """The folder of the files."""
    password: str = ""
    """A reference to the password of the files."""

    def describe(self, tenant: str) -> str:
        """The tenant's file."""
        return f"{self.folder}/{tenant}.memo"

    def list_places(self, tenant: str, root: Path) -> tuple[WarehousePlace, ...]:
        """The tenant's file."""
        return (WarehousePlace(option="folder", location=str(root / self.describe(tenant))),)

    def open(self, tenant: str, root: Path, resolve: Resolve, *, read_only: bool = False) -> Warehouse:
        """One tenant's file."""
        if self.password:
            resolve(self.password, "password")
        warehouse: Warehouse = self.import_engine()(tenant, str(root / self.describe(tenant)), read_only=read_only)
        return warehouse
