"""Which numeric column locates the rows of a member or fact in gold (see `headwater.warehouse.row_lookup`)."""

from __future__ import annotations

from headwater.gold.dimension.entity import CompiledDimension, compile_dimension
from headwater.gold.fact.lookup import CompiledLookup
from headwater.gold.fact.select import CompiledFact, CompiledPart
from headwater.gold.star import Star
from headwater.model.dimension import EntityDimension
from headwater.model.entity import Entity
from headwater.model.tables import name_table
from headwater.names import quote
from headwater.temporal.keys import numeric_key_sql, source_key_sql
from headwater.warehouse.base import Warehouse
from headwater.warehouse.row_lookup import RowLocator, integer_key


def entity_columns(entity: Entity) -> tuple[str, ...]:
    """The columns of an entity's versions that tables of gold are made of."""
    return ("entity_key", *entity.columns, "valid_from", "valid_to", "is_current", "batch_id")


def member_locator(warehouse: Warehouse, parts: CompiledDimension, entity: Entity) -> RowLocator:
    """Where the members of a dimension are: by an attribute that is the key of its entity, or else by when they begin.

    A member that only facts have told of has neither. What is joined makes members begin at the instants of others.
    """
    log = "" if parts.joined else warehouse.ref("silver", f"{entity.entity}_log")
    own = f"_row.{quote(integer_key(entity))}"
    inherited = {item.name for item in parts.inherited}
    among = [name for name, sql in parts.values.items() if sql == own and name not in inherited]
    return RowLocator(
        layer="gold",
        name=name_table(parts.dimension),
        number=among[0] if among else "",
        log=log,
        unlocatable_condition="x.is_inferred",
    )


def dimension_locator(warehouse: Warehouse, star: Star, dimension: EntityDimension) -> RowLocator:
    """Where the members of a declared dimension are."""
    entity = star.entity(dimension.entity, where=str(dimension.origin))
    return member_locator(warehouse, compile_dimension(star, dimension, warehouse.ref), entity)


def fact_locator(star: Star, parts: CompiledFact) -> RowLocator:
    """Where the rows of a fact are: by a column that is in every part the key of its entity."""
    own = [
        {
            name
            for name, sql in part.values.items()
            if sql == f"_row.{quote(integer_key(_entity(star, part.part.entity)))}"
        }
        for part in parts.parts
    ]
    numbers = sorted(set.intersection(*own))
    return RowLocator(layer="gold", name=name_table(parts.fact), number=numbers[0] if numbers else "")


def match_condition(star: Star, part: CompiledPart, lookup: CompiledLookup, changed: str) -> str:
    """The condition of rows whose own column asks for one of the `changed` members; empty where no column tells."""
    dimension = lookup.dimension
    if not isinstance(dimension, EntityDimension) or len(lookup.values) != 1:
        return ""
    wanted, value = _entity(star, dimension.entity), lookup.values[0]
    types = {f"_row.{quote(name)}": column.type for name, column in _entity(star, part.part.entity).columns.items()}
    if value not in types:
        return ""
    if types[value] in {"integer", "bigint"} and integer_key(wanted):
        return f"{value} IN (SELECT {numeric_key_sql('news.entity_key')} FROM ({changed}) AS news)"
    if types[value] == "text":
        return f"{value} IN (SELECT {source_key_sql('news.entity_key')} FROM ({changed}) AS news)"
    return ""


def _entity(star: Star, name: str) -> Entity:
    return star.declarations.entities[name]
