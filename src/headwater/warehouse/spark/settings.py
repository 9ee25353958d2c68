"""The settings of Spark in a project."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from headwater.model.address import ClearSecretError, check_folder, check_reference, is_reference
from headwater.warehouse.base import Warehouse
from headwater.warehouse.settings import Resolve, WarehousePlace, WarehouseSettings


def _check_spark(text: str) -> str:
    if text and not re.match(r"(local\[(\d+|\*)\]|sc://\S+)$", text):
        msg = 'use "local[2]", "sc://host:15002", or nothing for the active session'
        raise ValueError(msg)
    if re.search(r"token=(?!\$)", text):
        raise ClearSecretError("a declaration must not contain a token: use a reference such as `env:SPARK_REMOTE`")
    return text


def _check_spark_or_reference(text: str) -> str:
    return text if re.match(r"(env|file|keyring):", text) else _check_spark(text)


_SECRET = re.compile(r"(secret|password|token|account\.key|access\.key)", re.IGNORECASE)
"""Matches the names of Spark properties that contain a secret."""


class SparkWarehouse(WarehouseSettings):
    """Three databases per tenant in Spark: `{tenant}_silver`, `{tenant}_gold`, `{tenant}_meta`."""

    engine: ClassVar[str] = "headwater.warehouse.spark.engine:Spark"
    requirement: ClassVar[str] = "headwater[spark]"
    url_examples: ClassVar[tuple[str, ...]] = ("spark:local[2]",)

    kind: Literal["spark"]
    url: Annotated[str, AfterValidator(_check_spark_or_reference)] = ""
    """`local[n]`: in this process, on n cores. `sc://host:15002`: Spark Connect, or a reference. Empty: the active session."""
    path: str = ""
    """The folder of the tables; `.headwater/spark` in local mode, else the default location of the catalog."""
    format: Literal["delta", "parquet"] = "delta"
    """The format of the stored tables; Parquet in local mode only."""
    memory: str = ""
    """The maximum memory of Spark in local mode, e.g. `4g`; Spark's default when empty."""
    settings: dict[str, str] = Field(default_factory=dict)
    """Further Spark properties of local mode, e.g. `spark.sql.shuffle.partitions: "16"`; a secret key is a reference."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.path and self.url.startswith("local"):
            check_folder(self.path)
        for name, value in self.settings.items():
            if _SECRET.search(name):
                check_reference(value)
        return self

    def describe(self, tenant: str) -> str:
        """Describe the tenant's databases."""
        return f"spark, databases {tenant.replace('-', '_')}_silver and {tenant.replace('-', '_')}_gold"

    def resolve_folder(self, tenant: str) -> str:
        """Return the folder of the tables; empty for the catalog's default. In local mode it contains a folder per tenant."""
        default = ".headwater/spark" if self.url.startswith("local") else ""
        return (self.path or default).replace("{tenant}", tenant)

    def list_places(self, tenant: str, root: Path) -> tuple[WarehousePlace, ...]:
        """List the tenant's databases, and in local mode its folder."""
        hint = "rename one of them: Spark names have no hyphens and no upper case"
        names = WarehousePlace(location=self.describe(tenant), is_name=True, hint=hint)
        if not self.url.startswith("local"):
            return (names,)
        return (names, WarehousePlace(option="path", location=str(root / self.resolve_folder(tenant) / tenant)))

    @property
    def exclusive_reason(self) -> str:
        """Why no other process can open this warehouse."""
        return "" if self.url else "the session belongs to this process, so there is no other process to kill"

    def open(self, tenant: str, root: Path, resolve: Resolve, *, read_only: bool = False) -> Warehouse:
        """Open one tenant's databases. In local mode their files are in a folder of the project."""
        engine = self.import_engine()
        url = resolve(self.url, "url") if self.url else ""
        path = self.resolve_folder(tenant)
        if url.startswith("local"):
            # Spark resolves a relative path against the folder of its own metastore.
            path = str((root / (path or ".headwater/spark")).absolute())
        declared = {
            name: resolve(value, "settings") if is_reference(value) else value for name, value in self.settings.items()
        }
        properties = {**({"spark.driver.memory": self.memory} if self.memory else {}), **declared}
        warehouse: Warehouse = engine(
            tenant, url, path, table_format=self.format, settings=properties, read_only=read_only
        )
        return warehouse
