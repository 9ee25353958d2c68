"""A project: `headwater.yaml` in the project folder."""

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
"""Returns the settings class of a kind of engine. Raises ValueError if it is not installed."""

CONTEXT = "find_settings"
"""The key of `FindSettings` in the validation context."""


class WarehouseOptions(Declared):
    """Where silver and gold are stored: the kind of engine, and its options.

    The class accepts any option. The settings class of the engine validates the options when a project is loaded.
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
            find(self.kind).model_validate(self.as_dict())
        return self

    def as_dict(self) -> dict[str, Any]:
        """The kind and the options, as declared."""
        return {"kind": self.kind, **(self.model_extra or {})}


def _check_instant(text: str) -> str:
    parse_instant(text)
    return text


class LakeSettings(Declared):
    """Where raw and bronze are stored."""

    url: Place = ".headwater/lake"
    """A folder, `s3://bucket/prefix` or `abfss://…`. Each tenant has its own folder in it."""

    def locate(self, tenant: str) -> str:
        """The folder or bucket that contains the folders of the tenants."""
        return self.url.replace("{tenant}", tenant)


class LedgerSettings(Declared):
    """Where the ledger is stored, and the key of the tokens in it."""

    url: LedgerAddress = "sqlite:///.headwater/ledger.db"
    """An SQLAlchemy URL without a password, or a reference such as `env:LEDGER_URL`."""
    token_key: Reference = "env:HEADWATER_TOKEN_KEY"
    """A reference to the key that encrypts the tokens of logins (`headwater connection login`)."""


class Connection(Declared):
    """The use of one connector by one tenant."""

    connector: Name
    """The connector."""
    settings: dict[Name, Address] = Field(default_factory=dict)
    """Values for the settings of the connector. No secrets."""
    secrets: dict[Name, Reference] = Field(default_factory=dict)
    """References to secrets: `env:NAME`, `file:PATH`, `keyring:SERVICE/NAME`."""
    resources: tuple[Name, ...] = ()
    """The resources to read. Default: all resources that the declarations need."""
    since: Annotated[str, AfterValidator(_check_instant)] | None = None
    """The first day to read. Records that changed earlier are never read. Default: read everything."""
    overlap: dict[Name, Span] = Field(default_factory=dict)
    """By resource: how much of the committed past each run reads again, if this service stamps records late."""
    every: dict[Name, Span] = Field(default_factory=dict)
    """By resource: how often to request changes, if it differs from the connector."""
    limits: Limits | None = None
    """The request limits, if they differ from the connector."""
    clock: Literal["both", "service", "machine"] = "both"
    """Which clock to use. `both`: the earlier one if they disagree. `service`: for a service whose time differs on purpose."""


class Tenant(Declared):
    """An isolated customer."""

    connections: dict[Slug, Connection] = Field(default_factory=dict)
    """The connections."""


class Environment(Declared):
    """The overrides for one environment, e.g. production."""

    warehouse: WarehouseOptions | None = None
    """The warehouse."""
    lake: LakeSettings | None = None
    """The lake."""
    ledger: LedgerSettings | None = None
    """The ledger."""


class Policy(Declared):
    """What to do if the records of a resource differ from their contract."""

    drift: Literal["evolve", "freeze", "refuse"] = "evolve"
    """`evolve`: report and continue. `freeze`: report, and do not store new fields. `refuse`: the batch fails."""
    fields: dict[str, DType] = Field(default_factory=dict)
    """Fields (as paths) with another type than in the contract. `text` accepts any value."""


def _format_open_end(end: Any) -> Any:
    return end.isoformat() if isinstance(end, date) else end


OpenEnd = Annotated[Literal["9999-12-31"] | None, BeforeValidator(_format_open_end)]
"""The `valid_to` of current versions."""


class Publication(Declared):
    """A location to which a run writes the tables that it changed, so that readers never block a run."""

    name: Name
    """The name in plans and reports."""
    url: Place
    """A folder, `s3://bucket/prefix` or `abfss://…`. Each tenant has its own folder in it, or at `{tenant}`.

    Each publication needs its own."""
    format: Literal["parquet", "csv", "delta"]
    """The file format."""
    layer: Literal["gold", "silver"] = "gold"
    """The layer."""
    tables: tuple[Name, ...] = ()
    """The tables, e.g. `dim_company`. Default: every dimension and fact (or every entity)."""
    open_end: OpenEnd = "9999-12-31"
    """The `valid_to` of current versions. Use `null` if readers cannot represent such a late instant."""


class Project(Declared):
    """The project of a user."""

    version: Literal[1]
    """The version of the file format."""
    name: Slug
    """The name."""
    blueprint: Name | None = None
    """Declarations that ship with Headwater, e.g. `msp`. Files in `models/` add to them or override them by name."""
    warehouse: WarehouseOptions = WarehouseOptions()
    """Where silver and gold are stored."""
    lake: LakeSettings = LakeSettings()
    """Where raw and bronze are stored."""
    ledger: LedgerSettings = LedgerSettings()
    """Where the ledger is stored."""
    tenants: dict[Slug, Tenant] = Field(default_factory=dict)
    """The tenants and their connections. The ledger may contain more."""
    environments: dict[Name, Environment] = Field(default_factory=dict)
    """The overrides by environment."""
    settings: dict[Name, str] = Field(default_factory=dict)
    """The values of `setting('name')` in expressions."""
    policies: dict[str, Policy] = Field(default_factory=dict)
    """The policies, by `connector.resource`."""
    publish: tuple[Publication, ...] = ()
    """The locations to which tables are written after a run."""
    on_schema_change: OnSchemaChange | None = None
    """What to do with history when the columns of an entity change. An entity can override it."""

    surrogate: Surrogate | None = None
    """How surrogate keys are created: `hash`, or `sequence` for 1, 2, 3 ... A dimension can override it."""

    def with_environment(self, environment: Environment) -> Project:
        """Return the project with the overrides of an environment."""
        overrides = {name: getattr(environment, name) for name in ("warehouse", "lake", "ledger")}
        return self.model_copy(update={name: value for name, value in overrides.items() if value is not None})


class Declarations(Declared):
    """The entities, dimensions, facts and rules of a blueprint or a project."""

    entities: dict[Name, Entity] = Field(default_factory=dict)
    """Entities by name."""
    dimensions: dict[Name, Dimension] = Field(default_factory=dict)
    """Dimensions by name."""
    facts: dict[Name, Fact] = Field(default_factory=dict)
    """Facts by name."""
    rules: dict[Name, Rules] = Field(default_factory=dict)
    """Rules tables by name."""

    def merge(self, other: Declarations) -> Declarations:
        """Merge in `other`. Declarations with the same name are replaced."""
        return Declarations.model_construct(
            entities={**self.entities, **other.entities},
            dimensions={**self.dimensions, **other.dimensions},
            facts={**self.facts, **other.facts},
            rules={**self.rules, **other.rules},
        )

    def with_default(self, on_schema_change: OnSchemaChange | None, surrogate: Surrogate | None = None) -> Declarations:
        """Apply these defaults to every entity and dimension without its own setting."""
        choice = {"on_schema_change": on_schema_change}
        chosen = {
            name: entity.model_copy(update=choice)
            for name, entity in self.entities.items()
            if entity.on_schema_change is None
        }
        keyed: dict[str, Dimension] = {
            name: dimension.model_copy(update={"surrogate": surrogate})
            for name, dimension in self.dimensions.items()
            if not isinstance(dimension, DateDimension) and dimension.surrogate is None
        }
        return self.model_copy(
            update={"entities": {**self.entities, **chosen}, "dimensions": {**self.dimensions, **keyed}}
        )
