"""Dimensions, as Kimball uses the word: of an entity, of the distinct values of a column, of days."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from headwater.declared import Declared
from headwater.names import Name

History = Literal["T0", "T1", "T2"]
"""Kimball's types: T0 the first value for ever, T1 the newest value everywhere, T2 a new version on change."""

Surrogate = Literal["hash", "sequence"]
"""How surrogate keys are made: computed, or counted."""

UNKNOWN, NOT_APPLICABLE, ERROR = -1, -2, -3
"""The reserved members of every dimension."""

MEMBER_COLUMNS = ("entity_key", "valid_from", "valid_to", "is_current", "is_inferred")
"""Columns that gold adds to every dimension of an entity."""

LOAD_COLUMNS = ("loaded_at", "batch_id", "source")
"""Columns that gold adds to every table: load metadata."""


class Inherit(Declared):
    """A value that a member without one takes from its parent, its grandparent and so on. A circle is reported."""

    parent: Name
    """The entity's column that holds the parent's key."""


class Attribute(Declared):
    """An attribute of a dimension; `segment: T2` is short for `segment: {history: T2}`."""

    history: History
    """What a change does."""
    value: str | None = None
    """An expression over the entity's columns; the column of the same name unless given."""
    inherit: Inherit | None = None
    """Where a missing value comes from; such an attribute is T1."""
    description: str = ""
    """What it is."""

    @model_validator(mode="after")
    def _inherited_is_newest(self) -> Attribute:
        if self.inherit and self.history != "T1":
            msg = f"an inherited attribute is T1, not {self.history}"
            raise ValueError(msg)
        return self


def _short(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: {"history": item} if isinstance(item, str) else item for name, item in value.items()}


class Join(Declared):
    """Attributes of another entity, joined at every instant."""

    entity: Name
    """The other entity."""
    on: dict[Name, Name]
    """Column of the dimension's entity -> column of the other one; a bare name stands for both."""
    attributes: dict[Name, Attribute]
    """What is taken from it."""

    @field_validator("on", mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {value: value}
        if isinstance(value, list | tuple):
            return {name: name for name in value}
        return value

    @field_validator("attributes", mode="before")
    @classmethod
    def _short_attributes(cls, value: Any) -> Any:
        return _short(value)


class EntityDimension(Declared):
    """A dimension whose members are the versions of an entity."""

    dimension: Name
    """Its name; gold keeps it as `dim_<name>`."""
    entity: Name
    """The entity whose versions are its members."""
    attributes: dict[Name, Attribute]
    """Its attributes."""
    join: tuple[Join, ...] = ()
    """Attributes of further entities."""
    surrogate: Surrogate | None = None
    """`hash`: stable keys from entity key and version start. `sequence`: 1, 2, 3 ... by arrival. Else the project's choice."""
    description: str = ""
    """What it is."""

    @field_validator("attributes", mode="before")
    @classmethod
    def _short_attributes(cls, value: Any) -> Any:
        return _short(value)


class ValuesOf(Declared):
    """The column whose distinct values are the members."""

    entity: Name
    """The entity."""
    column: Name
    """Its column."""


class EnumDimension(Declared):
    """A dimension whose members are the distinct values of a column, e.g. `billable_option`."""

    dimension: Name
    """Its name; gold keeps it as `dim_<name>`."""
    values_of: tuple[ValuesOf, ...] = Field(min_length=1)
    """The column, or columns, whose values are the members."""
    attributes: dict[Name, str] = Field(default_factory=dict)
    """Further attributes: expressions over `value`."""
    surrogate: Surrogate | None = None
    """`hash`: stable keys from the value. `sequence`: 1, 2, 3 ... by arrival. Else the project's choice."""
    description: str = ""
    """What it is."""

    @field_validator("values_of", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, dict | ValuesOf) else value


class DateDimension(Declared):
    """A dimension of days."""

    dimension: Name
    """Its name, usually `date`; gold keeps it as `dim_<name>`, keyed yyyymmdd."""
    calendar: Literal["gregorian"] = "gregorian"
    """Which calendar."""
    first: date = date(2010, 1, 1)
    """The first day."""
    last: date = date(2039, 12, 31)
    """The last day."""
    fiscal_year_start: int = Field(default=1, ge=1, le=12)
    """The month in which the fiscal year begins; the fiscal year is named after the calendar year it ends in."""
    holidays: dict[date, str] = Field(default_factory=dict)
    """Days off, by name."""
    description: str = ""
    """What it is."""

    @model_validator(mode="after")
    def _in_order(self) -> DateDimension:
        if self.first > self.last:
            msg = f"the last day {self.last} is before the first {self.first}"
            raise ValueError(msg)
        return self


Dimension = EntityDimension | EnumDimension | DateDimension
"""Any dimension; which one, the keys of the declaration tell: `entity`, `values_of` or `calendar`."""
