"""Enum dimensions: the distinct values that columns ever had. NULL is no member; it is -1, unknown."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.gold.columns import BEGINNING, LOAD, SPAN, check_columns, infer_types
from headwater.gold.star import Ref, Star
from headwater.gold.surrogate_key import surrogate_key_sql
from headwater.model.dimension import EnumDimension, ValuesOf
from headwater.model.expression import compile_expression
from headwater.model.tables import name_key_column, name_table
from headwater.names import quote, quote_literal
from headwater.temporal.keys import hash60_sql
from headwater.temporal.sql import FOREVER
from headwater.warehouse.base import Table, TableColumn, Warehouse

_MANY = 20
"""So many values that looking for a row of each takes as long as looking at all rows."""


def build_attributes(star: Star, dimension: EnumDimension, value: str) -> dict[str, str]:
    """SQL of each attribute, where `value` is SQL of the member's value."""
    scope = star.build_scope({"value": value})
    where = f"{dimension.origin} dimension {dimension.dimension}"
    given = {
        name: compile_expression(text, scope, where=f"{where}, attribute {name}")
        for name, text in dimension.attributes.items()
    }
    return {"value": value, **given}


def build_table(
    warehouse: Warehouse, star: Star, dimension: EnumDimension, types: Mapping[str, str] | None = None
) -> Table:
    """The table that keeps `dimension`; types of expressions are the engine's, or `types` where they are known."""
    where = f"{dimension.origin} dimension {dimension.dimension}"
    values = build_attributes(star, dimension, "_row.value")
    if types is None:
        given = ", ".join(f"{sql} AS {quote(name)}" for name, sql in values.items())
        one = f"SELECT {given} FROM (SELECT CAST(NULL AS VARCHAR) AS value) AS _row"
        types = infer_types(warehouse, one, where=where)
    columns = (
        TableColumn(name=name_key_column(dimension), dtype="bigint", required=True),
        TableColumn(name="entity_key", dtype="text"),
        *(TableColumn(name=name, dtype=types[name]) for name in values),
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


def select_rows(star: Star, dimension: EnumDimension, ref: Ref, *, keys: str | None = None, seen: str = "") -> str:
    """SELECT of the members, all or those whose value is in the staged `keys`.

    A value counts as loaded with the first batch that brought it. `seen` names the staged values with batches to look
    at, where they are known to tell the first.
    """
    values = build_attributes(star, dimension, "_row.entity_key")
    among = f"\n  WHERE entity_key IN (SELECT entity_key FROM {keys})" if keys else ""
    attributes = "".join(f", {sql} AS {quote(name)}" for name, sql in values.items())
    return (
        f"SELECT {surrogate_key_sql('_row.entity_key')} AS {quote(name_key_column(dimension))}, _row.entity_key{attributes},\n"
        f"  {BEGINNING} AS valid_from, {FOREVER} AS valid_to, TRUE AS is_current, FALSE AS is_inferred,\n"
        "  _row.read_at AS loaded_at, _row.batch_id, _row.source\nFROM (\n"
        "  SELECT entity_key, read_at, batch_id, source, ROW_NUMBER() OVER "
        "(PARTITION BY entity_key ORDER BY read_at NULLS LAST, batch_id) AS _place\n"
        f"  FROM {seen or f'({_select_seen(dimension, ref)})'} AS seen{among}\n) AS _row WHERE _row._place = 1"
    )


def select_values(dimension: EnumDimension, ref: Ref) -> str:
    """SELECT of every value that the columns have in silver."""
    return "\nUNION\n".join(
        f"SELECT CAST({quote(item.column)} AS VARCHAR) AS entity_key FROM {ref('silver', item.entity)} "
        f"WHERE {quote(item.column)} IS NOT NULL"
        for item in dimension.values_of
    )


def affected_values_sql(dimension: EnumDimension, ref: Ref, changed: dict[str, str]) -> str:
    """SELECT of the values that the changed keys of each entity have, or ever had (and by chance some other's)."""
    return "\nUNION\n".join(
        f"SELECT CAST({quote(item.column)} AS VARCHAR) AS entity_key FROM {ref('silver', item.entity + '_log')} "
        f"WHERE {quote(item.column)} IS NOT NULL "
        f"AND key_hash IN (SELECT {hash60_sql('news.entity_key')} FROM ({changed[item.entity]}) AS news)"
        for item in dimension.values_of
        if item.entity in changed
    )


def select_still_first(warehouse: Warehouse, dimension: EnumDimension, *, stored: str, keys: str) -> str | None:
    """SELECT of the stored members among the staged `keys` as values with batches; None where that may not be told.

    Of the rows that no change touched, none is of an earlier batch than the one a member is stored with, as long as a
    row with that value and that batch is there. One such row is soon found; all of them are the whole history.
    """
    members = f"SELECT entity_key, loaded_at AS read_at, batch_id, source FROM {stored} WHERE NOT is_inferred "
    members += f"AND entity_key IN (SELECT entity_key FROM {keys})"
    known = warehouse.rows(f"SELECT entity_key, batch_id FROM ({members}) AS known LIMIT {_MANY + 1}")
    if len(known) > _MANY or not all(_has_value(warehouse, dimension, value, batch) for value, batch in known):
        return None
    return members


def _has_value(warehouse: Warehouse, dimension: EnumDimension, value: str, batch: str) -> bool:
    return any(
        warehouse.rows(
            f"SELECT 1 FROM {warehouse.ref('silver', item.entity)} "
            f"WHERE CAST({quote(item.column)} AS VARCHAR) = {quote_literal(value)} AND batch_id = {quote_literal(batch)} LIMIT 1"
        )
        for item in dimension.values_of
    )


def select_origins(dimension: EnumDimension, entity: str, versions: str, ref: Ref) -> list[str]:
    """SELECTs of the values with batches that some staged versions of an entity have."""
    return [_select_seen_in(item, versions, ref) for item in dimension.values_of if item.entity == entity]


def _select_seen(dimension: EnumDimension, ref: Ref) -> str:
    return " UNION ALL ".join(_select_seen_in(item, ref("silver", item.entity), ref) for item in dimension.values_of)


def _select_seen_in(item: ValuesOf, versions: str, ref: Ref) -> str:
    return (
        f"SELECT CAST(_row.value AS VARCHAR) AS entity_key, _load.read_at, _row.batch_id, _load.source FROM ("
        f"SELECT {quote(item.column)} AS value, batch_id FROM {versions} "
        f"WHERE {quote(item.column)} IS NOT NULL GROUP BY 1, 2) AS _row "
        f"LEFT JOIN {ref('meta', 'batch')} AS _load ON _load.batch_id = _row.batch_id"
    )
