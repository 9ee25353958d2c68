"""Dimensions (Kimball): of an entity, of the distinct values of a column, or of days."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from headwater.declared import Declared
from headwater.names import Name

History = Literal["T0", "T1", "T2"]
"""Kimball's types. T0 keeps the first value, T1 shows the newest value everywhere, T2 creates a new version on change."""

Surrogate = Literal["hash", "sequence"]
"""How surrogate keys are created: computed from a hash, or numbered."""

UNKNOWN, NOT_APPLICABLE, ERROR = -1, -2, -3
"""The special members of every dimension."""

MEMBER_COLUMNS = ("entity_key", "valid_from", "valid_to", "is_current", "is_inferred")
"""Columns that gold adds to every dimension of an entity."""

LOAD_COLUMNS = ("loaded_at", "batch_id", "source")
"""Columns that gold adds to every table: load metadata."""


class Inherit(Declared):
    """A member without a value inherits it from its parent, grandparent and so on. A cycle is reported."""

    parent: Name
    """The column of the entity that contains the key of the parent."""


class Attribute(Declared):
    """An attribute of a dimension; `segment: T2` is short for `segment: {history: T2}`."""

    history: History
    """What happens when the value changes."""
    value: str | None = None
    """An expression over the columns of the entity. Default: the column with the same name."""
    inherit: Inherit | None = None
    """Where a missing value comes from. The attribute must be T1."""
    description: str = ""
    """The description."""

    @model_validator(mode="after")
    def _check_inherit(self) -> Attribute:
        if self.inherit and self.history != "T1":
            msg = f"an inherited attribute is T1, not {self.history}"
            raise ValueError(msg)
        return self


def _expand_attributes(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: {"history": item} if isinstance(item, str) else item for name, item in value.items()}


class Join(Declared):
    """Attributes of another entity, joined at each point in time."""

    entity: Name
    """The other entity."""
    on: dict[Name, Name]
    """Column of the dimension's entity -> column of the other entity. A single name means both."""
    attributes: dict[Name, Attribute]
    """The attributes to add."""

    @field_validator("on", mode="before")
    @classmethod
    def _expand_names(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {value: value}
        if isinstance(value, list | tuple):
            return {name: name for name in value}
        return value

    @field_validator("attributes", mode="before")
    @classmethod
    def _expand_short_form(cls, value: Any) -> Any:
        return _expand_attributes(value)


class EntityDimension(Declared):
    """A dimension whose members are the versions of an entity."""

    dimension: Name
    """The name. The table in gold is `dim_<name>`."""
    entity: Name
    """The entity whose versions are the members."""
    attributes: dict[Name, Attribute]
    """The attributes."""
    join: tuple[Join, ...] = ()
    """Attributes of other entities."""
    surrogate: Surrogate | None = None
    """`hash`: keys from entity key and version start. `sequence`: 1, 2, 3 in order of arrival. Default: the project's setting."""
    description: str = ""
    """The description."""

    @field_validator("attributes", mode="before")
    @classmethod
    def _expand_short_form(cls, value: Any) -> Any:
        return _expand_attributes(value)


class ValuesOf(Declared):
    """The column whose distinct values are the members."""

    entity: Name
    """The entity."""
    column: Name
    """The column."""


class EnumDimension(Declared):
    """A dimension whose members are the distinct values of a column, e.g. `billable_option`."""

    dimension: Name
    """The name. The table in gold is `dim_<name>`."""
    values_of: tuple[ValuesOf, ...] = Field(min_length=1)
    """The column or columns whose values are the members."""
    attributes: dict[Name, str] = Field(default_factory=dict)
    """Other attributes: expressions over `value`."""
    surrogate: Surrogate | None = None
    """`hash`: keys from the value. `sequence`: 1, 2, 3 in order of arrival. Default: the project's setting."""
    description: str = ""
    """The description."""

    @field_validator("values_of", mode="before")
    @classmethod
    def _wrap_single(cls, value: Any) -> Any:
        return (value,) if isinstance(value, dict | ValuesOf) else value


class DateDimension(Declared):
    """A dimension of days."""

    dimension: Name
    """The name, usually `date`. The table in gold is `dim_<name>`, with keys in the form yyyymmdd."""
    calendar: Literal["gregorian"] = "gregorian"
    """The calendar."""
    first: date = date(2010, 1, 1)
    """The first day."""
    last: date = date(2039, 12, 31)
    """The last day."""
    fiscal_year_start: int = Field(default=1, ge=1, le=12)
    """The first month of the fiscal year. A fiscal year has the number of the calendar year in which it ends."""
    holidays: dict[date, str] = Field(default_factory=dict)
    """The holidays, with their names."""
    description: str = ""
    """The description."""

    @model_validator(mode="after")
    def _check_order(self) -> DateDimension:
        if self.first > self.last:
            msg = f"the last day {self.last} is before the first {self.first}"
            raise ValueError(msg)
        return self


Dimension = EntityDimension | EnumDimension | DateDimension
"""Any dimension. The kind follows from the keys of the declaration: `entity`, `values_of` or `calendar`."""
