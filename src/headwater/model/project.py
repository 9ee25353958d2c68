"""A project: `headwater.yaml`, at the root of a user's folder."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from headwater.clock import Span, parse_instant
from headwater.declared import Declared
from headwater.dtypes import DType
from headwater.model.address import (
    Address,
    ClearSecretError,
    Folder,
    LedgerAddress,
    Place,
    Reference,
    check_folder,
    check_reference,
)
from headwater.model.dimension import DateDimension, Dimension, Surrogate
from headwater.model.entity import Entity, OnSchemaChange, Rules
from headwater.model.fact import Fact
from headwater.names import Name, Slug
from headwater.wire.limits import Limits


class DuckDBWarehouse(Declared):
    """One DuckDB file a tenant."""

    kind: Literal["duckdb"] = "duckdb"
    path: Folder = ".headwater/{tenant}.duckdb"
    """The file; `{tenant}` stands for the tenant, and must be there once there are two."""
    memory: str = ""
    """The most memory DuckDB may use, e.g. `4GB`; DuckDB's own choice when empty."""
    threads: int | None = None
    """Threads of DuckDB; one a core unless given."""
    storage: Literal["v1.0.0", "v1.2.0", "v1.4.0", "v1.5.0", "v2.0.0", "latest"] = "v1.2.0"
    """The oldest DuckDB that opens a file made from now on."""

    def place(self, tenant: str) -> str:
        """Where a tenant's tables are, in words."""
        return self.path.replace("{tenant}", tenant)


class PostgresWarehouse(Declared):
    """Three schemas a tenant in one Postgres database: `{tenant}_silver`, `{tenant}_gold`, `{tenant}_meta`."""

    kind: Literal["postgres"]
    url: Address = "env:DATABASE_URL"
    """A reference to the address, e.g. `env:DATABASE_URL`; or the address itself, `postgresql://…`, without a password."""
    memory: str = "64MB"
    """What one sort or hash of a statement may hold in memory (`work_mem`); the server's own choice when empty."""

    def place(self, tenant: str) -> str:
        """Where a tenant's tables are, in words."""
        return f"postgres, schemas {tenant}_silver and {tenant}_gold"


class FilesWarehouse(Declared):
    """A folder of files a tenant, without a database: DuckDB computes, one pointer says which files count."""

    kind: Literal["files"]
    url: Place = ".headwater/tables"
    """A folder, `s3://bucket/prefix` or `abfss://…`; below it each tenant has its own."""
    format: Literal["parquet", "csv", "delta"] = "parquet"
    """What the tables are kept as."""
    memory: str = ""
    """The most memory DuckDB may use, e.g. `4GB`; beyond it, it spills to a temporary folder. Its own choice when empty."""
    threads: int | None = None
    """Threads of DuckDB; one a core unless given."""

    def place(self, tenant: str) -> str:
        """Where a tenant's tables are, in words."""
        return f"{self.folder(tenant)}/{tenant} ({self.format})"

    def folder(self, tenant: str) -> str:
        """The folder or bucket below which a tenant has its own."""
        return self.url.replace("{tenant}", tenant).rstrip("/")


def _check_bucket(text: str) -> str:
    if not re.match(r"(s3://[^/?#\s]+[^?#\s]*|env:\w+)$", text):
        msg = "write `s3://bucket/prefix`, or a reference to it such as `env:REDSHIFT_STAGE`"
        raise ValueError(msg)
    return text


class RedshiftWarehouse(Declared):
    """Three schemas a tenant in one Redshift database. Never tried on a real cluster: see docs/guides/redshift.md."""

    kind: Literal["redshift"]
    url: Address = "env:REDSHIFT_URL"
    """A reference to the address, e.g. `env:REDSHIFT_URL`; or the address itself, `redshift://…`, without a password."""
    stage: Annotated[str, AfterValidator(_check_bucket)]
    """Where rows wait to be loaded, `s3://bucket/prefix` in the cluster's region. Credentials come from the environment."""
    iam_role: str = "env:REDSHIFT_ROLE"
    """The role by which the cluster reads the stage, `arn:aws:iam::…`, or a reference such as `env:REDSHIFT_ROLE`."""

    def place(self, tenant: str) -> str:
        """Where a tenant's tables are, in words."""
        return f"redshift, schemas {tenant}_silver and {tenant}_gold"


def _check_spark(text: str) -> str:
    if text and not re.match(r"(local\[(\d+|\*)\]|sc://\S+)$", text):
        msg = 'write "local[2]", "sc://host:15002", or nothing for the active session'
        raise ValueError(msg)
    if re.search(r"token=(?!\$)", text):
        raise ClearSecretError("a declaration never holds a token: write a reference such as `env:SPARK_REMOTE`")
    return text


def _check_spark_or_reference(text: str) -> str:
    return text if re.match(r"(env|file|keyring):", text) else _check_spark(text)


_SECRET = re.compile(r"(secret|password|token|account\.key|access\.key)", re.IGNORECASE)
"""What the name of a Spark property that holds a secret has in it."""


class SparkWarehouse(Declared):
    """Three databases a tenant in Spark: `{tenant}_silver`, `{tenant}_gold`, `{tenant}_meta`."""

    kind: Literal["spark"]
    url: Annotated[str, AfterValidator(_check_spark_or_reference)] = ""
    """`local[n]`: in this process, on n cores. `sc://host:15002`: Spark Connect, or a reference. Empty: the active session."""
    path: str = ""
    """The folder of the tables; `.headwater/spark` in local mode, and the catalog's own places elsewhere unless given."""
    format: Literal["delta", "parquet"] = "delta"
    """What the tables are kept as; Parquet in local mode only."""
    memory: str = ""
    """The most memory that Spark may use in local mode, e.g. `4g`; Spark's own choice when empty."""
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

    def place(self, tenant: str) -> str:
        """Where a tenant's tables are, in words."""
        return f"spark, databases {tenant.replace('-', '_')}_silver and {tenant.replace('-', '_')}_gold"

    def folder(self, tenant: str) -> str:
        """The folder of the tables, empty for the catalog's own places; in local mode each tenant has its own below it."""
        default = ".headwater/spark" if self.url.startswith("local") else ""
        return (self.path or default).replace("{tenant}", tenant)


def _check_instant(text: str) -> str:
    parse_instant(text)
    return text


def _kind(value: Any) -> str:
    kind = value.get("kind", "duckdb") if isinstance(value, dict) else getattr(value, "kind", "duckdb")
    return str(kind)


WarehouseSettings = Annotated[
    Annotated[DuckDBWarehouse, Tag("duckdb")]
    | Annotated[PostgresWarehouse, Tag("postgres")]
    | Annotated[RedshiftWarehouse, Tag("redshift")]
    | Annotated[SparkWarehouse, Tag("spark")]
    | Annotated[FilesWarehouse, Tag("files")],
    Discriminator(_kind),
]
"""Where silver and gold live."""


class LakeSettings(Declared):
    """Where raw and bronze live."""

    url: Place = ".headwater/lake"
    """A folder, `s3://bucket/prefix` or `abfss://…`; below it each tenant has its own."""

    def place(self, tenant: str) -> str:
        """The folder or bucket below which a tenant has its own."""
        return self.url.replace("{tenant}", tenant)


class LedgerSettings(Declared):
    """Where the ledger lives."""

    url: LedgerAddress = "sqlite:///.headwater/ledger.db"
    """An SQLAlchemy URL without a password, or a reference such as `env:LEDGER_URL`."""


class Connection(Declared):
    """One tenant's use of one connector."""

    connector: Name
    """The connector."""
    settings: dict[Name, Address] = Field(default_factory=dict)
    """Values of the connector's settings; no secrets."""
    secrets: dict[Name, Reference] = Field(default_factory=dict)
    """References to secrets: `env:NAME`, `file:PATH`, `keyring:SERVICE/NAME`."""
    resources: tuple[Name, ...] = ()
    """What is read; all that the declarations need unless given."""
    since: Annotated[str, AfterValidator(_check_instant)] | None = None
    """Records that changed before this day are never read; everything unless given."""
    overlap: dict[Name, Span] = Field(default_factory=dict)
    """By resource: how much of the committed past is read again each time, where this service stamps records late."""
    limits: Limits | None = None
    """The budget, where this customer's differs from the connector's."""
    clock: Literal["both", "service", "machine"] = "both"
    """Whose clock counts. `both`: the earlier one where they disagree. `service` for one that lives in a time of its own."""


class Tenant(Declared):
    """An isolated customer."""

    connections: dict[Slug, Connection] = Field(default_factory=dict)
    """Its connections."""


class Environment(Declared):
    """What differs in one environment, e.g. production."""

    warehouse: WarehouseSettings | None = None
    """The warehouse there."""
    lake: LakeSettings | None = None
    """The lake there."""
    ledger: LedgerSettings | None = None
    """The ledger there."""


class Policy(Declared):
    """What happens when records and contracts differ, a resource."""

    drift: Literal["evolve", "freeze", "refuse"] = "evolve"
    """`evolve`: report and go on. `freeze`: report, and keep no new field. `refuse`: the batch fails."""
    fields: dict[str, DType] = Field(default_factory=dict)
    """Fields (as paths) that are read with another type than the contract says; `text` takes anything."""


def _format_open_end(end: Any) -> Any:
    return end.isoformat() if isinstance(end, date) else end


OpenEnd = Annotated[Literal["9999-12-31"] | None, BeforeValidator(_format_open_end)]
"""What stands for the end of what is still valid."""


class Publication(Declared):
    """A place outside to which tables are written after a run that changed them, so that readers never block a run."""

    name: Name
    """What it is called in plans and reports."""
    url: Place
    """A folder, `s3://bucket/prefix` or `abfss://…`; below it each tenant has its own, unless `{tenant}` says where that is.

    No two publications may share one."""
    format: Literal["parquet", "csv", "delta"]
    """What the tables are written as."""
    layer: Literal["gold", "silver"] = "gold"
    """Which layer."""
    tables: tuple[Name, ...] = ()
    """Which tables, e.g. `dim_company`; every dimension and fact (or entity) unless given."""
    open_end: OpenEnd = "9999-12-31"
    """What `valid_to` says of what is still valid; `null` for no value, where readers cannot hold an instant so late."""


class Project(Declared):
    """A user's project."""

    version: Literal[1]
    """The version of this grammar."""
    name: Slug
    """Its name."""
    blueprint: Name | None = None
    """Declarations that ship with Headwater, e.g. `msp`. Files under `models/` add to it or override it by name."""
    warehouse: WarehouseSettings = DuckDBWarehouse()
    """Where silver and gold live."""
    lake: LakeSettings = LakeSettings()
    """Where raw and bronze live."""
    ledger: LedgerSettings = LedgerSettings()
    """Where the ledger lives."""
    tenants: dict[Slug, Tenant] = Field(default_factory=dict)
    """Tenants and their connections; more may live in the ledger."""
    environments: dict[Name, Environment] = Field(default_factory=dict)
    """Overrides by environment."""
    settings: dict[Name, str] = Field(default_factory=dict)
    """Values that expressions use as `setting('name')`."""
    policies: dict[str, Policy] = Field(default_factory=dict)
    """By `connector.resource`."""
    publish: tuple[Publication, ...] = ()
    """Where tables are written after a run."""
    on_schema_change: OnSchemaChange | None = None
    """What becomes of a history when its entity's columns come or go, for every entity that does not say so itself."""

    surrogate: Surrogate | None = None
    """How the keys of dimensions are made that do not say so themselves: `hash`, or `sequence` for 1, 2, 3 ..."""

    def in_environment(self, environment: Environment) -> Project:
        """The project with the overrides of an environment."""
        overrides = {name: getattr(environment, name) for name in ("warehouse", "lake", "ledger")}
        return self.model_copy(update={name: value for name, value in overrides.items() if value is not None})


class Declarations(Declared):
    """Everything declared about meaning: what a blueprint ships, or a project adds."""

    entities: dict[Name, Entity] = Field(default_factory=dict)
    """Entities by name."""
    dimensions: dict[Name, Dimension] = Field(default_factory=dict)
    """Dimensions by name."""
    facts: dict[Name, Fact] = Field(default_factory=dict)
    """Facts by name."""
    rules: dict[Name, Rules] = Field(default_factory=dict)
    """Rules tables by name."""

    def merge(self, other: Declarations) -> Declarations:
        """These declarations with those of `other` added, or in their place where the name is the same."""
        return Declarations.model_construct(
            entities={**self.entities, **other.entities},
            dimensions={**self.dimensions, **other.dimensions},
            facts={**self.facts, **other.facts},
            rules={**self.rules, **other.rules},
        )

    def with_default(self, on_schema_change: OnSchemaChange | None, surrogate: Surrogate | None = None) -> Declarations:
        """These declarations, with those choices for every entity and every dimension that has none of its own."""
        choice = {"on_schema_change": on_schema_change}
        chosen = {
            name: entity.model_copy(update=choice)
            for name, entity in self.entities.items()
            if entity.on_schema_change is None
        }
        keyed: dict[str, Dimension] = {
            name: one.model_copy(update={"surrogate": surrogate})
            for name, one in self.dimensions.items()
            if not isinstance(one, DateDimension) and one.surrogate is None
        }
        return self.model_copy(
            update={"entities": {**self.entities, **chosen}, "dimensions": {**self.dimensions, **keyed}}
        )
