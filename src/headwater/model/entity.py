"""An entity: a canonical business thing, mapped from one or many connectors."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from headwater.declared import Declared
from headwater.dtypes import DType
from headwater.names import Name

OnSchemaChange = Literal["from_now", "rebuild"]
"""What becomes of a history that is there when the columns of its entity are declared otherwise."""


class Column(Declared):
    """A column of an entity."""

    type: DType
    """Its type."""
    history: Literal["track", "overwrite"] = "track"
    """`track`: a change makes a version. `overwrite`: no version of its own; the newest value stands everywhere."""
    renamed_from: Name | None = None
    """The name it had before; its first one, if it had several. Its history goes on, and this stays: events know it by it."""
    description: str = ""
    """What it is."""


class Source(Declared):
    """How one resource feeds an entity. Values are expressions over the columns of its bronze."""

    changed_at: str | None = None
    """When the source says the record became so; without it, when it was read."""
    map: dict[Name, str]
    """Entity column -> expression, e.g. `company_id: company.id`. A column left out is unknown to this source."""
    where: str | None = None
    """Only records for which this holds."""
    deleted: str | None = None
    """Records for which this holds say that the thing is gone."""


class Entity(Declared):
    """A canonical business thing (ticket, company), and where it comes from."""

    entity: Name
    """Its name; silver keeps it in tables of this name."""
    key: tuple[Name, ...]
    """The columns that tell one from another; one name or a list."""
    columns: dict[Name, Column]
    """Its columns and their types; `name: bigint` is short for `name: {type: bigint}`."""
    sources: dict[str, Source]
    """The resources that feed it, as `connector.resource`."""
    on_schema_change: OnSchemaChange | None = None
    """When columns come or go: `from_now` counts from the next run on, `rebuild` lets that run make the history anew.
    The project's choice unless given; without any, a run refuses to guess."""
    description: str = ""
    """What it is."""

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("columns", mode="before")
    @classmethod
    def _short_columns(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: {"type": column} if isinstance(column, str) else column for name, column in value.items()}

    @model_validator(mode="after")
    def _key_is_declared(self) -> Entity:
        missing = [name for name in self.key if name not in self.columns]
        if missing:
            msg = f"key `{missing[0]}` is not among the columns ({', '.join(self.columns)})"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _former_names_are_free(self) -> Entity:
        former = [column.renamed_from for column in self.columns.values() if column.renamed_from]
        for name in former:
            if name in self.columns or former.count(name) > 1:
                msg = f"`renamed_from: {name}` names a declared column, or one that another column was renamed from"
                raise ValueError(msg)
        return self

    @property
    def event_names(self) -> dict[str, str]:
        """By what name events know each column: the first that it had."""
        return {name: column.renamed_from or name for name, column in self.columns.items()}

    @property
    def tracked(self) -> tuple[str, ...]:
        """Columns whose change makes a version."""
        return tuple(name for name, column in self.columns.items() if column.history == "track")

    @property
    def overwritten(self) -> tuple[str, ...]:
        """Columns whose newest value stands on all versions."""
        return tuple(name for name, column in self.columns.items() if column.history == "overwrite")

    def known_columns(self, source: Source) -> tuple[str, ...] | None:
        """The columns that `source` knows; None when it knows them all."""
        known = tuple(name for name in self.columns if name in source.map)
        return None if len(known) == len(self.columns) else known


RESERVED = ("entity_key", "valid_from", "valid_to", "is_current", "version_number", "batch_id")
"""Columns that silver adds to every entity; none may be declared."""

LOGGED = (
    "sequence",
    "operation",
    "source",
    "known_columns",
    "hash",
    "stamp",
    "observed",
    "place",
    "first_observed",
    "key_hash",
)
"""Further columns of an entity's change log; none may be declared either."""


class Rule(Declared):
    """One line of a rules table: what to look for, and what it means."""

    contains: tuple[str, ...] = Field(min_length=1)
    """Texts any of which the value contains, whatever the case."""
    gives: dict[Name, str]
    """The outputs, e.g. `{class: prepaid_hours, billing: prepaid}`."""

    @field_validator("contains", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Rules(Declared):
    """A table that classifies a text by pattern, first match wins: data that a user can replace by name.

    The text is trimmed, one trailing colon is dropped and case is folded (for all of Unicode) before it is compared.
    """

    rules: Name
    """Its name, as `classify(text, 'name', 'output')` calls it."""
    first_match: tuple[Rule, ...]
    """The lines, in order."""
    otherwise: dict[Name, str]
    """The outputs where no line matches; how often that happens is told in the report of a run."""
    description: str = ""
    """What it classifies."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that every line gives."""
        return tuple(self.otherwise)

    @model_validator(mode="after")
    def _same_outputs(self) -> Rules:
        for rule in self.first_match:
            if set(rule.gives) != set(self.otherwise):
                gives, otherwise = sorted(rule.gives), sorted(self.otherwise)
                msg = f"the rule for {rule.contains[0]!r} gives {gives}, `otherwise` gives {otherwise}"
                raise ValueError(msg)
        return self
