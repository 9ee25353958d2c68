"""A project: `headwater.yaml`, at the root of a user's folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from headwater.clock import Span, parse_instant
from headwater.declared import Declared
from headwater.dtypes import DType
from headwater.model.address import Address, LedgerAddress, Place, Reference
from headwater.model.dimension import DateDimension, Dimension, Surrogate
from headwater.model.entity import Entity, OnSchemaChange, Rules
from headwater.model.fact import Fact
from headwater.names import Name, Slug
from headwater.wire.limits import Limits

FindSettings = Callable[[str], type[Declared]]
"""Gives the settings class of a kind of engine; ValueError where none is installed."""

CONTEXT = "find_settings"
"""The key in the context of a validation under which `FindSettings` is handed in."""


class WarehouseOptions(Declared):
    """Where silver and gold live: the kind of engine, and the options of that engine.

    It is open. The settings class of the engine knows the options, and checks them where a project is loaded.
    """

    model_config = ConfigDict(extra="allow")

    kind: str = "duckdb"

    @field_validator("kind")
    @classmethod
    def _check_kind(cls, kind: str, info: ValidationInfo) -> str:
        if find := (info.context or {}).get(CONTEXT):
            find(kind)
        return kind

    @model_validator(mode="after")
    def _check_options(self, info: ValidationInfo) -> Self:
        if find := (info.context or {}).get(CONTEXT):
            find(self.kind).model_validate(self.options())
        return self

    def options(self) -> dict[str, Any]:
        """The kind and the options, as they are declared."""
        return {"kind": self.kind, **(self.model_extra or {})}


def _check_instant(text: str) -> str:
    parse_instant(text)
    return text


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

    warehouse: WarehouseOptions | None = None
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
    warehouse: WarehouseOptions = WarehouseOptions()
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
