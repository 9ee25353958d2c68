"""An entity: a canonical business object, mapped from one or more connectors."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from headwater.declared import Declared
from headwater.dtypes import DType
from headwater.names import Name

OnSchemaChange = Literal["from_now", "rebuild"]
"""What happens to existing history when the declared columns of an entity change."""


class Column(Declared):
    """A column of an entity."""

    type: DType
    """The type."""
    history: Literal["track", "overwrite"] = "track"
    """`track`: a change creates a version. `overwrite`: no version, and all versions show the newest value."""
    renamed_from: Name | None = None
    """The previous name, or the first of several. Do not remove it: events are stored under this name."""
    description: str = ""
    """What it is."""


class Source(Declared):
    """The mapping of a resource to an entity. Values are expressions over the bronze columns of the resource."""

    changed_at: str | None = None
    """The time of the change in the source. Default: the time of the read."""
    map: dict[Name, str]
    """Entity column -> expression, e.g. `company_id: company.id`. The source does not know a column that is left out."""
    where: str | None = None
    """A condition. Records that do not match are ignored."""
    deleted: str | None = None
    """A condition. Records that match count as deleted."""


class Entity(Declared):
    """A canonical business object (ticket, company) and its sources."""

    entity: Name
    """The name of the entity and of its tables in silver."""
    key: tuple[Name, ...]
    """The key columns: one name or a list."""
    columns: dict[Name, Column]
    """The columns and their types. `name: bigint` is short for `name: {type: bigint}`."""
    sources: dict[str, Source]
    """The source resources, as `connector.resource`."""
    on_schema_change: OnSchemaChange | None = None
    """What to do when columns change. `from_now`: apply it from the next run on. `rebuild`: rebuild history in the next run.
    Default: the setting of the project. Without either, the run stops with an error."""
    description: str = ""
    """What it is."""

    @field_validator("key", mode="before")
    @classmethod
    def _wrap_single(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("columns", mode="before")
    @classmethod
    def _expand_short_form(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: {"type": column} if isinstance(column, str) else column for name, column in value.items()}

    @model_validator(mode="after")
    def _check_key(self) -> Entity:
        missing = [name for name in self.key if name not in self.columns]
        if missing:
            msg = f"key `{missing[0]}` is not among the columns ({', '.join(self.columns)})"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_former_names(self) -> Entity:
        former = [column.renamed_from for column in self.columns.values() if column.renamed_from]
        for name in former:
            if name in self.columns or former.count(name) > 1:
                msg = f"`renamed_from: {name}` names a declared column, or one that another column was renamed from"
                raise ValueError(msg)
        return self

    @property
    def event_names(self) -> dict[str, str]:
        """The name of each column in events: its first name."""
        return {name: column.renamed_from or name for name, column in self.columns.items()}

    @property
    def integer_key(self) -> str:
        """The key column, if the key is one whole number; empty if not."""
        is_number = len(self.key) == 1 and self.columns[self.key[0]].type in {"integer", "bigint"}
        return self.key[0] if is_number else ""

    @property
    def tracked(self) -> tuple[str, ...]:
        """Columns whose change creates a version."""
        return tuple(name for name, column in self.columns.items() if column.history == "track")

    @property
    def overwritten(self) -> tuple[str, ...]:
        """Columns whose newest value all versions show."""
        return tuple(name for name, column in self.columns.items() if column.history == "overwrite")

    def list_known_columns(self, source: Source) -> tuple[str, ...] | None:
        """The columns that `source` maps; None for all columns."""
        known = tuple(name for name in self.columns if name in source.map)
        return None if len(known) == len(self.columns) else known


RESERVED = ("entity_key", "valid_from", "valid_to", "is_current", "version_number", "batch_id")
"""Columns that silver adds to every entity. You cannot declare them."""

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
"""Other columns of the change log of an entity. You cannot declare them."""


class Rule(Declared):
    """One rule of a rules table: a pattern and its outputs."""

    contains: tuple[str, ...] = Field(min_length=1)
    """The rule applies if the value contains one of these texts, in any case."""
    gives: dict[Name, str]
    """The outputs, e.g. `{class: prepaid_hours, billing: prepaid}`."""

    @field_validator("contains", mode="before")
    @classmethod
    def _wrap_single(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Rules(Declared):
    """A table that classifies text by pattern. The first match applies. A project can replace it by name.

    Before the comparison, the text is trimmed, loses one trailing colon and is case folded (for all of Unicode).
    """

    rules: Name
    """The name for `classify(text, 'name', 'output')`."""
    first_match: tuple[Rule, ...]
    """The rules, in order."""
    otherwise: dict[Name, str]
    """The outputs if no rule matches. The run report shows how often this happens."""
    description: str = ""
    """The description."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs of every rule."""
        return tuple(self.otherwise)

    @model_validator(mode="after")
    def _check_outputs(self) -> Rules:
        for rule in self.first_match:
            if set(rule.gives) != set(self.otherwise):
                gives, otherwise = sorted(rule.gives), sorted(self.otherwise)
                msg = f"the rule for {rule.contains[0]!r} gives {gives}, `otherwise` gives {otherwise}"
                raise ValueError(msg)
        return self
