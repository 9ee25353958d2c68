"""The settings of Redshift in a project."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import parse_qsl

from pydantic import AfterValidator

from headwater.model.address import Address, is_reference
from headwater.warehouse.base import Warehouse
from headwater.warehouse.settings import Resolve, WarehouseSettings


def _check_bucket(text: str) -> str:
    if not re.match(r"(s3://[^/?#\s]+[^?#\s]*|env:\w+)$", text):
        msg = "use `s3://bucket/prefix`, or a reference to it such as `env:REDSHIFT_STAGE`"
        raise ValueError(msg)
    return text


def _check_url(text: str) -> str:
    if not is_reference(text) and not text.startswith("redshift://"):
        msg = "use `redshift://user@host:5439/database`, or a reference to it such as `env:REDSHIFT_URL`"
        raise ValueError(msg)
    return text


def _check_role(text: str) -> str:
    if not is_reference(text) and not text.startswith("arn:"):
        msg = "use the ARN of the role, `arn:aws:iam::…`, or a reference to it such as `env:REDSHIFT_ROLE`"
        raise ValueError(msg)
    return text


class RedshiftWarehouse(WarehouseSettings):
    """Three schemas per tenant in one Redshift database. Not tested on a real cluster: see docs/guides/redshift.md."""

    engine: ClassVar[str] = "headwater.warehouse.redshift.engine:Redshift"
    requirement: ClassVar[str] = "headwater[redshift]"
    url_examples: ClassVar[tuple[str, ...]] = ("redshift://user@host/db?stage=s3://BUCKET/PREFIX",)

    exports: ClassVar[bool] = False

    kind: Literal["redshift"]
    url: Annotated[Address, AfterValidator(_check_url)] = "env:REDSHIFT_URL"
    """A reference to the address, e.g. `env:REDSHIFT_URL`; or the address itself, `redshift://…`, without a password."""
    stage: Annotated[str, AfterValidator(_check_bucket)]
    """Where rows are staged for COPY, `s3://bucket/prefix` in the cluster's region. Credentials come from the environment."""
    iam_role: Annotated[str, AfterValidator(_check_role)] = "env:REDSHIFT_ROLE"
    """The role by which the cluster reads the stage, `arn:aws:iam::…`, or a reference such as `env:REDSHIFT_ROLE`."""

    @classmethod
    def from_url(cls, text: str) -> Self:
        """Parse a URL: an address with the other options as its query, or `redshift:` and a reference."""
        address, _, query = text.partition("?")
        if not address.startswith("redshift://"):
            return super().from_url(text)
        return cls.model_validate({"kind": "redshift", "url": address, **dict(parse_qsl(query))})

    def describe(self, tenant: str) -> str:
        """Describe the tenant's schemas."""
        return f"redshift, schemas {tenant}_silver and {tenant}_gold"

    def open(self, tenant: str, root: Path, resolve: Resolve, *, read_only: bool = False) -> Warehouse:
        """Open one tenant's schemas."""
        del root
        engine = self.import_engine()
        url, stage, role = (resolve(getattr(self, name), name) for name in ("url", "stage", "iam_role"))
        warehouse: Warehouse = engine(tenant, url, stage=stage, iam_role=role, read_only=read_only)
        return warehouse
