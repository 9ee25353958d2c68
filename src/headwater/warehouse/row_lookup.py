"""Finds rows by their key in one statement, for engines with an index or parallel reads of their files."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import ENTITY_KEY, RowKey, SchemaName, StagedRows, Warehouse


def select_rows_by_key(
    self: Warehouse,
    into: str,
    layer: SchemaName,
    name: str,
    *,
    keys: str,
    columns: Sequence[str],
    where: str = "TRUE",
    by: RowKey = ENTITY_KEY,
) -> StagedRows:
    """`Warehouse.select_rows` by the key alone."""
    key = quote(by.column)
    condition = f"x.{key} IN (SELECT k.{key} FROM ({keys}) AS k) AND {where}"
    select = f"SELECT {column_list_sql(columns, 'x')} FROM {self.ref(layer, name)} AS x WHERE {condition}"
    return StagedRows(relation=self.stage(into, select))


def scan_costs_more(self: Warehouse, layer: SchemaName, name: str) -> bool:  # noqa: ARG001 - a method
    """`Warehouse.is_small` for engines whose rows are found by an index, or read from files: no table counts as small."""
    return False
