"""The names that the expressions of each kind of declaration may use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headwater.model.dimension import MEMBER_COLUMNS, DateDimension, Dimension, EntityDimension, EnumDimension
from headwater.model.entity import RESERVED, Entity
from headwater.model.field import Field
from headwater.names import quote

DATE_ATTRIBUTES = (
    "date_key", "date", "year", "quarter", "month", "month_name", "week", "day_of_month", "day_of_week", "day_name",
    "day_of_year", "is_weekend", "is_holiday", "holiday_name", "is_month_start", "is_month_end", "fiscal_year",
    "fiscal_quarter", "fiscal_month",
)  # fmt: skip
"""Columns of a date dimension."""


def map_bronze_columns(fields: Iterable[Field]) -> dict[str, str]:
    """The names in the bronze of a resource: every field by its dotted path and its flattened name."""
    names: dict[str, str] = {"_parent": quote("_parent")}
    for field in fields:
        names[field.name] = names[field.dotted] = quote(field.name)
    return names


def map_entity_columns(entity: Entity, alias: str = "") -> dict[str, str]:
    """The names in the current row of an entity: its declared columns, and those that silver adds."""
    prefix = f"{alias}." if alias else ""
    return {name: prefix + quote(name) for name in (*entity.columns, *RESERVED)}


def map_entity_dtypes(entity: Entity) -> dict[str, str]:
    """The types of the declared columns of an entity."""
    return {name: column.type for name, column in entity.columns.items()}


def list_attribute_names(dimension: Dimension) -> tuple[str, ...]:
    """The attributes of a dimension that `<lookup>.<attribute>` may name, without load metadata."""
    match dimension:
        case EntityDimension():
            joined = [name for join in dimension.join for name in join.attributes]
            return (*dimension.attributes, *joined, *MEMBER_COLUMNS)
        case EnumDimension():
            return ("value", *dimension.attributes)
        case DateDimension():
            return DATE_ATTRIBUTES


def map_lookup_columns(lookups: Mapping[str, Dimension]) -> dict[str, str]:
    """`<lookup>.<attribute>` -> SQL, if the dimension row of each lookup is joined under the name of the lookup."""
    return {
        f"{lookup}.{name}": f"{quote(lookup)}.{quote(name)}"
        for lookup, dimension in lookups.items()
        for name in list_attribute_names(dimension)
    }
