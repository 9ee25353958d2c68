"""Members of a dimension beside those that silver knows: the reserved ones, and those only facts have told of."""

from __future__ import annotations

from headwater.gold.columns import BEGINNING, select_list
from headwater.gold.dimension.rekey import build_collision_error
from headwater.gold.surrogate_key import surrogate_key_sql
from headwater.model.dimension import ERROR, NOT_APPLICABLE, UNKNOWN
from headwater.names import quote, quote_literal
from headwater.temporal.sql import FOREVER, column_list_sql
from headwater.warehouse.base import Table, TableColumn, Warehouse, WriteCounts
from headwater.warehouse.dml import overwrite_rows

RESERVED = {UNKNOWN: "Unknown", NOT_APPLICABLE: "Not applicable", ERROR: "Error"}
"""The reserved members, and what their text attributes say."""

_OURS = ("entity_key", "batch_id", "source")


def keep_reserved(warehouse: Warehouse, table: Table) -> WriteCounts:
    """Make the stored reserved members what they should be, touching them only where they differ."""
    key, stored = table.columns[0].name, warehouse.ref("gold", table.name)
    fresh = warehouse.stage("gold_reserved", select_reserved(table))
    held = f"SELECT {column_list_sql(table.names)} FROM {stored} WHERE {quote(key)} < 0"
    differ = f"SELECT 1 FROM (({_except_sql(fresh, held)}) UNION ALL ({_except_sql(held, fresh)})) AS _differ LIMIT 1"
    if not warehouse.rows(differ):
        return WriteCounts()
    return overwrite_rows(
        warehouse,
        "gold",
        table.name,
        where=f"{quote(key)} < 0",
        columns=table.names,
        select=f"SELECT * FROM {fresh}",
    )


def select_reserved(table: Table) -> str:
    """SELECT of the reserved members of a dimension."""
    return " UNION ALL ".join(
        f"SELECT {select_list(table, _build_reserved_values(table, number, text))}" for number, text in RESERVED.items()
    )


def _build_reserved_values(table: Table, number: int, text: str) -> dict[str, str]:
    said = {column.name: _text_sql(column, text) for column in table.columns if column.name not in _OURS}
    return {**said, **_build_fixed_values(table, str(number)), "batch_id": "'reserved'"}


def _text_sql(column: TableColumn, text: str) -> str:
    return quote_literal(text) if column.dtype == "text" else ""


def _build_fixed_values(table: Table, key: str) -> dict[str, str]:
    values = {
        table.columns[0].name: f"CAST({key} AS BIGINT)",
        "valid_from": BEGINNING,
        "valid_to": FOREVER,
        "is_current": "TRUE",
        "is_inferred": "FALSE",
        "loaded_at": BEGINNING,
        "source": "'headwater'",
    }
    return {name: sql for name, sql in values.items() if name in table.names}


def select_inferred(table: Table, keys: str, *, after: str, attributes: dict[str, str]) -> str:
    """SELECT of an inferred member for each entity key of the staged `keys`.

    Its key is the hash of a first version; with `after` (SQL of a number), the numbers that come after it.
    """
    number = surrogate_key_sql("_met.entity_key")
    if after:
        number = f"{after} + ROW_NUMBER() OVER (ORDER BY _met.entity_key)"
    values = {
        **attributes,
        **_build_fixed_values(table, number),
        "entity_key": "_met.entity_key",
        "is_inferred": "TRUE",
        "batch_id": "'inferred'",
    }
    return f"SELECT {select_list(table, values)} FROM {keys} AS _met"


def check_keys(warehouse: Warehouse, table: Table, rows: str = "") -> None:
    """Nothing when the members (those in the staged `rows`, or all) share no surrogate key; SafetyCheckError otherwise."""
    key, stored = quote(table.columns[0].name), warehouse.ref("gold", table.name)
    among = f" WHERE {key} IN (SELECT {key} FROM {rows})" if rows else ""
    clash = warehouse.rows(f"SELECT {key} FROM {stored}{among} GROUP BY {key} HAVING COUNT(*) > 1")
    if clash:
        number = int(clash[0][0])
        one, other = warehouse.rows(f"SELECT MIN(entity_key), MAX(entity_key) FROM {stored} WHERE {key} = {number}")[0]
        raise build_collision_error(table.name, number, str(one), str(other))


def _except_sql(one: str, other: str) -> str:
    return f"SELECT * FROM {_relation_sql(one)} AS _one EXCEPT SELECT * FROM {_relation_sql(other)} AS _other"


def _relation_sql(sql: str) -> str:
    return f"({sql})" if sql.startswith("SELECT") else sql
