"""Facts: measurements at a declared grain, with lookups into dimensions."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from headwater.declared import Declared
from headwater.names import Name


class Lookup(Declared):
    """How a fact finds a member of a dimension. Gold stores the result as `<lookup>_key`."""

    dimension: Name
    """The dimension."""
    on: tuple[str, ...]
    """The expression for the key of the member, or several for a composite key. NULL means -1, unknown."""
    strategy: Literal["point_in_time", "current", "direct"] = "current"
    """`point_in_time`: the version valid at `at`. `current`: the newest. `direct`: the value is the key (days, enums)."""
    at: str | None = None
    """The instant of the fact, for `point_in_time`."""
    not_applicable: str | None = None
    """A condition. If the key is NULL, rows that match get -2 (not applicable) instead of -1."""

    @field_validator("on", mode="before")
    @classmethod
    def _wrap_single(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_instant(self) -> Lookup:
        if (self.strategy == "point_in_time") != (self.at is not None):
            msg = "`at` is allowed only with the strategy point_in_time"
            raise ValueError(msg)
        return self


class Part(Declared):
    """The rows of a fact that come from one entity. A fact with several parts is their union."""

    entity: Name
    """The entity that provides the rows, from its current versions."""
    where: str | None = None
    """A condition for the rows. It may use attributes of the fact's lookups, as `<lookup>.<attribute>`."""
    columns: dict[Name, str] = Field(default_factory=dict)
    """The columns for the fact: expressions over the columns of the entity. Default: the columns of the entity."""


class Periods(Declared):
    """One row for each month that a row of the entity covers (a periodic snapshot)."""

    every: Literal["month"] = "month"
    """The period."""
    start: str
    """An expression for the first day."""
    end: str
    """An expression for the last day. NULL means no end yet: the rows continue to the month of the newest batch."""


class Fact(Declared):
    """A fact table. Expressions may use names that are declared earlier, and `<lookup>.<attribute>`."""

    fact: Name
    """The name. The table in gold is `fact_<name>`."""
    entity: Name | None = None
    """The entity whose current rows are the facts. Short for one part without `columns`."""
    parts: tuple[Part, ...] = ()
    """The entities whose rows form the fact."""
    where: str | None = None
    """Only rows for which this holds."""
    periods: Periods | None = None
    """Creates one row for each month, with the date columns `period_start` and `period_end`."""
    grain: tuple[Name, ...]
    """The columns that identify a row."""
    degenerate: dict[Name, str] = Field(default_factory=dict)
    """Degenerate columns of the fact: name -> expression. A list of names means the columns with these names."""
    measures: dict[Name, str] = Field(default_factory=dict)
    """Measures: name -> expression."""
    types: dict[Name, str] = Field(default_factory=dict)
    """The types of degenerate columns and measures, if the engine should not infer them."""
    lookups: dict[Name, Lookup] = Field(default_factory=dict)
    """Lookups by name."""
    description: str = ""
    """The description: what one row is."""

    @field_validator("degenerate", "measures", mode="before")
    @classmethod
    def _expand_names(cls, value: Any) -> Any:
        return {name: name for name in value} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _check_entity_or_parts(self) -> Fact:
        if (self.entity is None) == (not self.parts):
            msg = "a fact needs either `entity` or `parts`"
            raise ValueError(msg)
        return self

    @property
    def sources(self) -> tuple[Part, ...]:
        """The parts. A fact with `entity` has one part."""
        return self.parts or (Part(entity=self.entity or "", where=None),)
