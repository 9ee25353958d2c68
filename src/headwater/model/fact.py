"""Facts: measurements at a declared grain, with lookups into dimensions."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from headwater.declared import Declared
from headwater.names import Name


class Lookup(Declared):
    """How a fact finds a member of a dimension; gold keeps the answer as `<lookup>_key`."""

    dimension: Name
    """The dimension."""
    on: tuple[str, ...]
    """Expression, or several for a composite key, that gives the member's key. NULL: -1, unknown."""
    strategy: Literal["point_in_time", "current", "direct"] = "current"
    """`point_in_time`: the version valid at `at`. `current`: the newest. `direct`: the value is the key (days, enums)."""
    at: str | None = None
    """The instant of the fact, for `point_in_time`."""
    not_applicable: str | None = None
    """Rows for which this holds get -2 (not applicable) instead of -1 when the key is NULL."""

    @field_validator("on", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _instant_where_needed(self) -> Lookup:
        if (self.strategy == "point_in_time") != (self.at is not None):
            msg = "`at` is allowed only with the strategy point_in_time"
            raise ValueError(msg)
        return self


class Part(Declared):
    """Rows of a fact that come from one entity; a fact of several parts is their union."""

    entity: Name
    """The entity whose current rows these are."""
    where: str | None = None
    """Only rows for which this holds; may use attributes of the fact's lookups, as `<lookup>.<attribute>`."""
    columns: dict[Name, str] = Field(default_factory=dict)
    """What the fact's expressions see: expressions over the entity's columns. Those columns themselves unless given."""


class Periods(Declared):
    """One row for each month that a row of the entity spans (a periodic snapshot)."""

    every: Literal["month"] = "month"
    """The period."""
    start: str
    """Expression: the first day."""
    end: str
    """Expression: the last day; NULL means still going on, up to the month of the newest batch."""


class Fact(Declared):
    """A fact table. Expressions may use what was declared before them, and `<lookup>.<attribute>`."""

    fact: Name
    """Its name; gold keeps it as `fact_<name>`."""
    entity: Name | None = None
    """The entity whose current rows are the facts; short for one part without `columns`."""
    parts: tuple[Part, ...] = ()
    """The entities whose rows together are the facts."""
    where: str | None = None
    """Only rows for which this holds."""
    periods: Periods | None = None
    """Where the fact has a row a month; gives the columns `period_start` and `period_end` (dates)."""
    grain: tuple[Name, ...]
    """Columns that tell one row from another."""
    degenerate: dict[Name, str] = Field(default_factory=dict)
    """Columns kept on the fact itself: name -> expression. A list of names stands for the columns of those names."""
    measures: dict[Name, str] = Field(default_factory=dict)
    """Measures: name -> expression."""
    types: dict[Name, str] = Field(default_factory=dict)
    """Types of degenerate columns and measures, where the engine's inference should not decide."""
    lookups: dict[Name, Lookup] = Field(default_factory=dict)
    """Lookups by name."""
    description: str = ""
    """What one row means."""

    @field_validator("degenerate", "measures", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return {name: name for name in value} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _entity_or_parts(self) -> Fact:
        if (self.entity is None) == (not self.parts):
            msg = "a fact needs either `entity` or `parts`"
            raise ValueError(msg)
        return self

    @property
    def sources(self) -> tuple[Part, ...]:
        """Its parts; one of them when it has an `entity`."""
        return self.parts or (Part(entity=self.entity or "", where=None),)
