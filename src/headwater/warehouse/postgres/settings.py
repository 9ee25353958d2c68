"""The settings of Postgres in a project."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from headwater.model.address import Address
from headwater.warehouse.base import Warehouse
from headwater.warehouse.settings import Resolve, WarehouseSettings


class PostgresWarehouse(WarehouseSettings):
    """Three schemas per tenant in one Postgres database: `{tenant}_silver`, `{tenant}_gold`, `{tenant}_meta`."""

    engine: ClassVar[str] = "headwater.warehouse.postgres.engine:Postgres"
    requirement: ClassVar[str] = "headwater[postgres]"
    # A reference without a kind is the address of a Postgres server.
    schemes: ClassVar[tuple[str, ...]] = ("postgresql", "env", "file")
    url_examples: ClassVar[tuple[str, ...]] = ("postgresql://user@host/db", "env:DATABASE_URL")

    kind: Literal["postgres"]
    url: Address = "env:DATABASE_URL"
    """A reference to the address, e.g. `env:DATABASE_URL`; or the address itself, `postgresql://…`, without a password."""
    memory: str = "64MB"
    """What one sort or hash of a statement can hold in memory (`work_mem`); the server's default when empty."""

    @classmethod
    def from_url(cls, text: str) -> Self:
        """Parse a URL: an address, a reference to one, or either after `postgres:`."""
        kind, _, rest = text.partition(":")
        if kind in cls.schemes or rest.startswith("//"):
            return cls.model_validate({"kind": "postgres", "url": text})
        return super().from_url(text)

    def describe(self, tenant: str) -> str:
        """Describe the tenant's schemas."""
        return f"postgres, schemas {tenant}_silver and {tenant}_gold"

    def open(self, tenant: str, root: Path, resolve: Resolve, *, read_only: bool = False) -> Warehouse:
        """Open one tenant's schemas."""
        del root
        warehouse: Warehouse = self.import_engine()(
            tenant, resolve(self.url, "url"), memory=self.memory, read_only=read_only
        )
        return warehouse
