"""Which numbers tell where the rows of a version, member or fact are (see `headwater.warehouse.base.RowKey`)."""

from __future__ import annotations

from headwater.gold.dimension.entity import CompiledDimension, compile_dimension
from headwater.gold.fact.lookup import CompiledLookup
from headwater.gold.fact.select import CompiledFact, CompiledPart
from headwater.gold.star import Star
from headwater.model.dimension import EntityDimension
from headwater.model.entity import Entity
from headwater.names import quote
from headwater.temporal.keys import numeric_key_sql, source_key_sql
from headwater.warehouse.base import RowKey, Warehouse


def list_version_columns(entity: Entity) -> tuple[str, ...]:
    """The columns of an entity's versions that tables of gold are made of."""
    return ("entity_key", *entity.columns, "valid_from", "valid_to", "is_current", "batch_id")


def build_version_key(warehouse: Warehouse, entity: Entity) -> RowKey:
    """How the versions of an entity are found: each begins at an event of the change log."""
    return RowKey(number=entity.integer_key, log=warehouse.ref("silver", f"{entity.entity}_log"))


def build_member_key(warehouse: Warehouse, parts: CompiledDimension, entity: Entity) -> RowKey:
    """How the members of a dimension are found: by an attribute that is the key of its entity, or else by when they begin.

    A member that only facts have told of has neither. What is joined makes members begin at the instants of others.
    """
    log = "" if parts.joined else warehouse.ref("silver", f"{entity.entity}_log")
    own = f"_row.{quote(entity.integer_key)}"
    inherited = {item.name for item in parts.inherited}
    among = [name for name, sql in parts.values.items() if sql == own and name not in inherited]
    return RowKey(number=among[0] if among else "", log=log, unlocatable_condition="x.is_inferred")


def build_dimension_key(warehouse: Warehouse, star: Star, dimension: EntityDimension) -> RowKey:
    """How the members of a declared dimension are found."""
    entity = star.get_entity(dimension.entity, where=str(dimension.origin))
    return build_member_key(warehouse, compile_dimension(star, dimension, warehouse.ref), entity)


def build_fact_key(star: Star, parts: CompiledFact) -> RowKey:
    """How the rows of a fact are found: by a column that is in every part the key of its entity."""
    own = [
        {
            name
            for name, sql in part.values.items()
            if sql == f"_row.{quote(_get_entity(star, part.part.entity).integer_key)}"
        }
        for part in parts.parts
    ]
    numbers = sorted(set.intersection(*own))
    return RowKey(number=numbers[0] if numbers else "")


def match_condition(star: Star, part: CompiledPart, lookup: CompiledLookup, changed: str) -> str:
    """The condition of rows whose own column asks for one of the `changed` members; empty where no column tells."""
    dimension = lookup.dimension
    if not isinstance(dimension, EntityDimension) or len(lookup.values) != 1:
        return ""
    wanted, value = _get_entity(star, dimension.entity), lookup.values[0]
    types = {f"_row.{quote(name)}": column.type for name, column in _get_entity(star, part.part.entity).columns.items()}
    if value not in types:
        return ""
    if types[value] in {"integer", "bigint"} and wanted.integer_key:
        return f"{value} IN (SELECT {numeric_key_sql('news.entity_key')} FROM ({changed}) AS news)"
    if types[value] == "text":
        return f"{value} IN (SELECT {source_key_sql('news.entity_key')} FROM ({changed}) AS news)"
    return ""


def _get_entity(star: Star, name: str) -> Entity:
    return star.declarations.entities[name]
