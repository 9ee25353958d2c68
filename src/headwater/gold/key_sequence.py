"""Surrogate keys that are counted: 1, 2, 3 ... in the order of arrival, none of them given twice."""

from __future__ import annotations

from headwater.gold.change_feed import LAST
from headwater.names import quote, quote_literal
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Table, Warehouse
from headwater.warehouse.dml import overwrite_rows


def select_numbered(warehouse: Warehouse, table: Table, *, fresh: str, before: str) -> str:
    """SELECT of the `fresh` rows with keys 1, 2, 3 ... by arrival; versions that are stored (`before`) keep theirs.

    A member's first version counts as first whenever it begins, as with hash keys. The numbers live in the table alone:
    one that is dropped and made anew is numbered anew, and so are the facts that point at it.
    """
    key = quote(table.columns[0].name)
    rest = column_list_sql(table.names[1:], "_new")

    def select_placed(relation: str, names: str) -> str:
        place = "ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from) = 1"
        since = "CASE WHEN {} THEN NULL ELSE valid_from END AS _since"
        return f"SELECT {names}, {since.format(place)} FROM {relation} WHERE entity_key IN (SELECT entity_key FROM {fresh})"

    arrival = (
        f"ROW_NUMBER() OVER (PARTITION BY _old.{key} IS NULL ORDER BY _new.loaded_at, _new.valid_from, _new.entity_key)"
    )
    return (
        f"SELECT COALESCE(_old.{key}, {last_sql(warehouse, table)} + {arrival}) AS {key}, {rest}\n"
        f"FROM ({select_placed(fresh, '*')}) AS _new\n"
        f"LEFT JOIN ({select_placed(before, f'{key}, entity_key')}) AS _old\n"
        "  ON _old.entity_key = _new.entity_key AND _old._since IS NOT DISTINCT FROM _new._since"
    )


def last_sql(warehouse: Warehouse, table: Table) -> str:
    """SQL of the highest number ever given in a dimension: what is stored, and what is remembered of those that went."""
    key, stored = quote(table.columns[0].name), warehouse.ref("gold", table.name)
    return (
        f"(SELECT GREATEST(COALESCE(MAX(given.number), 0), 0) FROM (SELECT {key} AS number FROM {stored} "
        f"UNION ALL SELECT change_id FROM {_last_numbers_sql(warehouse, table.name)}) AS given)"
    )


def load_last(warehouse: Warehouse, name: str) -> int:
    """The highest number that is remembered of a dimension."""
    return int(warehouse.rows(f"SELECT COALESCE(MAX(change_id), 0) FROM {_last_numbers_sql(warehouse, name)}")[0][0])


def save_last(warehouse: Warehouse, table: Table) -> None:
    """Remember the highest number before members go: to those who kept it, it may never mean something else."""
    last = int(warehouse.rows(f"SELECT {last_sql(warehouse, table)}")[0][0])
    if last > load_last(warehouse, table.name):
        overwrite_rows(
            warehouse,
            "meta",
            "consumer_offset",
            where=f"consumer = {quote_literal(table.name)} AND entity = {quote_literal(LAST)}",
            columns=("consumer", "entity", "change_id"),
            select=f"SELECT {quote_literal(table.name)}, {quote_literal(LAST)}, CAST({last} AS BIGINT)",
        )


def _last_numbers_sql(warehouse: Warehouse, name: str) -> str:
    progress = warehouse.ref("meta", "consumer_offset")
    condition = f"consumer = {quote_literal(name)} AND entity = {quote_literal(LAST)}"
    return f"(SELECT change_id FROM {progress} WHERE {condition}) AS noted"
