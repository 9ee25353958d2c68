"""Members that only facts have told of: put in when a fact asks for one, taken out when no fact does any more."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.gold.dimension import enum
from headwater.gold.dimension.rekey import SEQUENCE, get_key_kind
from headwater.gold.dimension.special_members import check_keys, select_inferred
from headwater.gold.fact.lookup import CompiledLookup
from headwater.gold.key_sequence import last_sql, save_last
from headwater.gold.star import Star
from headwater.model.dimension import Dimension, EnumDimension
from headwater.model.tables import name_table
from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Table, Warehouse, WriteCounts


def insert_inferred(
    warehouse: Warehouse, star: Star, table: Table, *, lookups: Sequence[CompiledLookup], fresh: str
) -> tuple[str, WriteCounts]:
    """Insert inferred members for the `lookups` that found none for some of the `fresh` rows.

    Returns the staged rows with all keys, and the counts.
    """
    written = WriteCounts()
    for lookup in lookups:
        written += WriteCounts(inserted=_infer(warehouse, star, lookup, fresh))
    return (_stage_filled(warehouse, table, lookups, fresh) if lookups else fresh), written


def _infer(warehouse: Warehouse, star: Star, lookup: CompiledLookup, fresh: str) -> int:
    unanswered = (
        f"SELECT DISTINCT {quote(lookup.key_column)} AS entity_key FROM {fresh} WHERE {quote(lookup.column)} IS NULL"
    )
    asked = warehouse.stage("gold_asked", unanswered)
    if not warehouse.count(asked):
        return 0
    # What is stored of these few is taken from them, rather than they from all that is stored.
    known = f"SELECT s.entity_key FROM {lookup.table} AS s WHERE s.entity_key IN (SELECT entity_key FROM {asked})"
    keys = warehouse.stage("gold_met", f"SELECT entity_key FROM {asked} WHERE entity_key NOT IN ({known})")
    if not warehouse.count(keys):
        return 0
    table = _read_stored_table(warehouse, lookup.dimension)
    attributes: dict[str, str] = {}
    if isinstance(lookup.dimension, EnumDimension):
        attributes = enum.build_attributes(star, lookup.dimension, "_met.entity_key")
    after = ""
    if get_key_kind(lookup.dimension) == SEQUENCE:
        after = last_sql(warehouse, table)
    rows = warehouse.stage("gold_inferred", select_inferred(table, keys, after=after, attributes=attributes))
    added = warehouse.append("gold", table.name, table.names, f"SELECT {column_list_sql(table.names)} FROM {rows}")
    check_keys(warehouse, table, rows)
    return added


def _stage_filled(warehouse: Warehouse, table: Table, late: Sequence[CompiledLookup], fresh: str) -> str:
    found = {
        lookup.column: f"COALESCE(_row.{quote(lookup.column)}, {quote(lookup.name)}.{quote(lookup.key_name)})"
        for lookup in late
    }
    values = ", ".join(f"{found.get(name, '_row.' + quote(name))} AS {quote(name)}" for name in table.names)
    joins = "\n".join(
        f"LEFT JOIN {lookup.table} AS {quote(lookup.name)} ON {quote(lookup.name)}.entity_key = _row.{quote(lookup.key_column)} "
        f"AND {quote(lookup.name)}.is_inferred"
        for lookup in late
    )
    return warehouse.stage("gold_filled", f"SELECT {values}\nFROM {fresh} AS _row\n{joins}")


def stage_referenced_members(
    warehouse: Warehouse, lookups: Sequence[CompiledLookup], stored: str, keys: str | None
) -> dict[str, str]:
    """By dimension, the staged keys of inferred members that stored rows of `keys` (all members, if None) point at."""
    selects: dict[str, list[str]] = {}
    for lookup in _find_with_inferred(warehouse, lookups):
        pointing = f"SELECT {quote(lookup.column)} FROM {stored} WHERE entity_key IN (SELECT entity_key FROM {keys})"
        among = f" AND {quote(lookup.key_name)} IN ({pointing})" if keys else ""
        selects.setdefault(lookup.dimension.dimension, []).append(
            f"SELECT {quote(lookup.key_name)} AS member FROM {lookup.table} WHERE is_inferred{among}"
        )
    return {
        name: warehouse.stage(f"gold_referred_{number}", "\nUNION\n".join(texts))
        for number, (name, texts) in enumerate(selects.items())
    }


def _find_with_inferred(warehouse: Warehouse, lookups: Sequence[CompiledLookup]) -> list[CompiledLookup]:
    """The lookups whose dimension has any inferred member."""
    tables = list(dict.fromkeys(lookup.table for lookup in lookups if not lookup.is_day))
    if not tables:
        return []
    tests = (
        f"SELECT DISTINCT {number} AS number FROM {table} WHERE is_inferred" for number, table in enumerate(tables)
    )
    found = {tables[int(row[0])] for row in warehouse.rows("\nUNION ALL ".join(tests))}
    return [lookup for lookup in lookups if not lookup.is_day and lookup.table in found]


def delete_orphaned_inferred(warehouse: Warehouse, star: Star, candidates: dict[str, str]) -> WriteCounts:
    """Delete the inferred candidates, staged by dimension, that no fact refers to any more."""
    written = WriteCounts()
    for name, staged in candidates.items():
        if not warehouse.count(staged):
            continue
        keys = warehouse.stage("gold_forsaken", _select_orphaned(warehouse, star, name, staged))
        if warehouse.count(keys):
            columns = warehouse.describe("gold", f"dim_{name}") or ()
            table = Table(layer="gold", name=f"dim_{name}", columns=columns, key=(f"{name}_key",))
            if get_key_kind(star.get_dimension(name, where=f"gold.{table.name}")) == SEQUENCE:
                save_last(warehouse, table)
            nothing = f"SELECT * FROM {warehouse.ref('gold', table.name)} WHERE FALSE"
            written += warehouse.replace_rows(table, keys=keys, new_rows=warehouse.stage("gold_nothing", nothing))
    return written


def _select_orphaned(warehouse: Warehouse, star: Star, name: str, candidates: str) -> str:
    """SELECT of the keys of inferred members among the candidates that no fact points at."""
    table, key = warehouse.ref("gold", f"dim_{name}"), quote(f"{name}_key")
    pointing = "".join(
        f" AND {key} NOT IN (SELECT {quote(column)} FROM {fact} "
        f"WHERE {quote(column)} IN (SELECT member FROM {candidates}))"
        for fact, column in _find_referencing_columns(warehouse, star, name)
    )
    return f"SELECT {key} FROM {table} WHERE is_inferred AND {key} IN (SELECT member FROM {candidates}){pointing}"


def _find_referencing_columns(warehouse: Warehouse, star: Star, dimension: str) -> list[tuple[str, str]]:
    """Stored fact tables and their columns that point at a dimension."""
    found = []
    for fact, lookup in star.find_references(dimension):
        stored = warehouse.describe("gold", name_table(fact)) or ()
        if any(column.name == f"{lookup}_key" for column in stored):
            found.append((warehouse.ref("gold", name_table(fact)), f"{lookup}_key"))
    return found


def _read_stored_table(warehouse: Warehouse, dimension: Dimension) -> Table:
    columns = warehouse.describe("gold", name_table(dimension)) or ()
    return Table(layer="gold", name=name_table(dimension), columns=columns, key=("entity_key",))
