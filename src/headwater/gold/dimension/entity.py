"""Dimensions of entities: the versions of one or several entities, as the attributes see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headwater.errors import DeclarationError
from headwater.gold.columns import LOAD, SPAN, check_columns, infer_types
from headwater.gold.dimension import inherit
from headwater.gold.dimension import join as segment
from headwater.gold.dimension.inherit import InheritedAttribute
from headwater.gold.dimension.join import JoinedEntity
from headwater.gold.star import Ref, Star
from headwater.gold.surrogate_key import start_text_sql, surrogate_key_sql
from headwater.model.dimension import Attribute, EntityDimension
from headwater.model.entity import Entity
from headwater.model.expression import compile_expression
from headwater.model.names_in_scope import map_entity_columns
from headwater.model.tables import name_key_column, name_table
from headwater.names import quote
from headwater.temporal.coalesce import coalesce_sql
from headwater.temporal.sql import FOREVER, column_list_sql, indent
from headwater.warehouse.base import Table, TableColumn, Warehouse

_BATCH = "_batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledDimension:
    """A dimension of an entity whose expressions are SQL."""

    dimension: EntityDimension
    values: Mapping[str, str]
    """Attribute -> SQL over `_row` (the entity) and `_join_0`, `_join_1` ... (joined ones)."""
    histories: Mapping[str, str]
    """Attribute -> T0, T1 or T2."""
    inherited: tuple[InheritedAttribute, ...]
    joined: tuple[JoinedEntity, ...]
    relation: str
    """The versions of its entity."""
    batches: str
    """`meta.batch`."""

    def list_attributes(self, history: str) -> tuple[str, ...]:
        """The attributes of a history."""
        return tuple(name for name, kind in self.histories.items() if kind == history)


def compile_dimension(star: Star, dimension: EntityDimension, ref: Ref) -> CompiledDimension:
    """`dimension` with its expressions compiled; DeclarationError where they do not hold."""
    where = f"{dimension.origin} dimension {dimension.dimension}"
    joined = tuple(
        JoinedEntity(
            number=number, join=join, relation=ref("silver", join.entity), log=ref("silver", f"{join.entity}_log")
        )
        for number, join in enumerate(dimension.join)
    )
    own = star.get_entity(dimension.entity, where=where)
    groups = [(dimension.attributes, own, "_row")]
    groups += [(item.join.attributes, star.get_entity(item.join.entity, where=where), item.alias) for item in joined]
    every = [(name, attribute) for attributes, _, _ in groups for name, attribute in attributes.items()]
    check_columns([TableColumn(name=name, dtype="text") for name, _ in every], where=where)
    values = {name: sql for group in groups for name, sql in _compile_values(star, *group, where=where).items()}
    return CompiledDimension(
        dimension=dimension,
        values=values,
        histories={name: attribute.history for name, attribute in every},
        inherited=tuple(_compile_inherited(dimension, values, where)),
        joined=joined,
        relation=ref("silver", dimension.entity),
        batches=ref("meta", "batch"),
    )


def _compile_values(
    star: Star, attributes: Mapping[str, Attribute], entity: Entity, alias: str, *, where: str
) -> dict[str, str]:
    scope = star.build_scope(map_entity_columns(entity, alias))
    return {
        name: compile_expression(attribute.value or name, scope, where=f"{where}, attribute {name}")
        for name, attribute in attributes.items()
    }


def _compile_inherited(
    dimension: EntityDimension, values: Mapping[str, str], where: str
) -> Iterable[InheritedAttribute]:
    for join in dimension.join:
        for name, attribute in join.attributes.items():
            if attribute.inherit:
                raise DeclarationError(
                    f"`{name}` comes from a join and cannot be inherited.",
                    where=where,
                    hint="inherit only attributes of the dimension's own entity",
                )
    for name, attribute in dimension.attributes.items():
        if attribute.inherit:
            yield InheritedAttribute(name=name, value=values[name], parent=attribute.inherit.parent)


def build_table(warehouse: Warehouse, parts: CompiledDimension, types: Mapping[str, str] | None = None) -> Table:
    """The table that keeps a dimension; types of expressions are the engine's, or `types` where they are known."""
    dimension = parts.dimension
    where = f"{dimension.origin} dimension {dimension.dimension}"
    if types is None:
        joins = "".join(f" CROSS JOIN {item.relation} AS {item.alias}" for item in parts.joined)
        values = ", ".join(f"{sql} AS {quote(name)}" for name, sql in parts.values.items()) or "1 AS none"
        types = infer_types(warehouse, f"SELECT {values} FROM {parts.relation} AS _row{joins}", where=where)
    columns = (
        TableColumn(name=name_key_column(dimension), dtype="bigint", required=True),
        TableColumn(name="entity_key", dtype="text"),
        *(TableColumn(name=name, dtype=types[name]) for name in parts.values),
        *SPAN,
        *LOAD,
    )
    check_columns(columns, where=where)
    return Table(
        layer="gold",
        name=name_table(dimension),
        columns=columns,
        key=("entity_key",),
        primary_key=(columns[0].name,),
        has_validity=True,
    )


def select_rows(parts: CompiledDimension, *, keys: str | None = None, versions: str = "") -> str:
    """SELECT of the members, all or those whose entity key is in the staged `keys`, with hash keys.

    `versions` names the staged versions of those keys, where they were found before.
    """
    inner = _build_steps(parts, keys, versions or parts.relation)
    recursive = "RECURSIVE " if parts.inherited else ""
    ctes = ",\n".join(f"{name} AS (\n{indent(text)}\n)" for name, text in inner.items())
    number = "ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from)"
    key = surrogate_key_sql("_row.entity_key", start_text_sql("_row.valid_from", "_row._place"))
    joins = "".join(f"\nLEFT JOIN {item.step} ON {item.step}.entity_key = _row.entity_key" for item in parts.inherited)
    return (
        f"WITH {recursive}{ctes}\n"
        f"SELECT {key} AS {quote(name_key_column(parts.dimension))}, _row.entity_key{_answers_sql(parts)},\n"
        f"  _row.valid_from, _row.valid_to, _row.valid_to = {FOREVER} AS is_current, FALSE AS is_inferred,\n"
        f"  _load.read_at AS loaded_at, _row.{_BATCH} AS batch_id, _load.source\n"
        f"FROM (SELECT *, {number} AS _place FROM members) AS _row{joins}\n"
        f"LEFT JOIN {parts.batches} AS _load ON _load.batch_id = _row.{_BATCH}"
    )


def _answers_sql(parts: CompiledDimension) -> str:
    inherited = {item.name: item.step for item in parts.inherited}
    return "".join(
        f", COALESCE(_row.{quote(name)}, {inherited[name]}.value) AS {quote(name)}"
        if name in inherited
        else f", _row.{quote(name)}"
        for name in parts.values
    )


def _build_steps(parts: CompiledDimension, keys: str | None, versions: str) -> dict[str, str]:
    among = f"\nWHERE _row.entity_key IN (SELECT entity_key FROM {keys})" if keys else ""
    named = {"versions": f"SELECT _row.* FROM {versions} AS _row{among}"}
    if parts.joined:
        named |= segment.build_steps(parts.joined)
    named["valued"] = _select_values(parts)
    named["settled"] = _select_fixed(parts)
    named["members"] = coalesce_sql(
        "settled",
        key="entity_key",
        columns=parts.list_attributes("T2"),
        firsts=(*parts.list_attributes("T0"), *parts.list_attributes("T1"), _BATCH),
    )
    for item in parts.inherited:
        named |= inherit.build_steps(item, entity=parts.relation, keys=keys)
    return named


def _select_values(parts: CompiledDimension) -> str:
    values = "".join(f",\n  {sql} AS {quote(name)}" for name, sql in parts.values.items())
    span = (
        "_row._seg_from AS valid_from, _row._seg_to AS valid_to" if parts.joined else "_row.valid_from, _row.valid_to"
    )
    joins = "".join(
        f"\nLEFT JOIN {item.step} AS {item.alias} "
        f"ON {item.alias}._owner = _row.entity_key AND {item.alias}._owner_from = _row._seg_from"
        for item in parts.joined
    )
    return (
        f"SELECT _row.entity_key, {span}, _row.batch_id AS {_BATCH}{values}\n"
        f"FROM {'segments' if parts.joined else 'versions'} AS _row{joins}"
    )


def _select_fixed(parts: CompiledDimension) -> str:
    """T0 and T1 on every version: the first and the last value of the member."""
    window = "PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
    chosen = {"T0": "FIRST_VALUE", "T1": "LAST_VALUE"}
    values = [
        f"{chosen[kind]}({quote(name)}) OVER ({window}) AS {quote(name)}" if kind in chosen else quote(name)
        for name, kind in parts.histories.items()
    ]
    return "SELECT " + ",\n  ".join(["entity_key", "valid_from", "valid_to", _BATCH, *values]) + "\nFROM valued"


def affected_keys_sql(parts: CompiledDimension, *, own: str | None, joined: Mapping[str, str]) -> str:
    """SELECT of the members that changes touch: of its entity (`own`) and of joined entities, by name."""
    texts = [own] if own else []
    texts += [
        segment.affected_keys_sql(item, entity=parts.relation, changed=joined[item.join.entity])
        for item in parts.joined
        if item.join.entity in joined
    ]
    return "\nUNION\n".join(texts)


def all_keys_sql(parts: CompiledDimension, stored: str) -> str:
    """SELECT of the keys of all members, those that are only stored too."""
    return (
        f"SELECT entity_key FROM {parts.relation}\nUNION\nSELECT entity_key FROM {stored} WHERE entity_key IS NOT NULL"
    )


def inferred_rows_sql(table: Table, *, stored: str, relation: str, keys: str) -> str:
    """SELECT of the stored inferred members among `keys` that still have no version: they stay while facts refer to them."""
    return (
        f"SELECT {column_list_sql(table.names)} FROM {stored} WHERE is_inferred "
        f"AND entity_key IN (SELECT entity_key FROM {keys}) "
        f"AND entity_key NOT IN (SELECT entity_key FROM {relation})"
    )
