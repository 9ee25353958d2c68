"""Stages Python rows in any warehouse: a DuckDB parses them from JSON into the given types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

import msgspec

from headwater.dtypes import DUCKDB, render_dtype
from headwater.names import quote, quote_literal
from headwater.warehouse.base import TableColumn, Warehouse
from headwater.warehouse.dialect.dialect import PORTABLE
from headwater.warehouse.duckdb.engine import DuckDB


def stage_rows(
    warehouse: Warehouse, name: str, columns: Sequence[TableColumn], rows: Iterable[Mapping[str, Any]]
) -> str:
    """Store rows (column name -> value) in a temporary table; return its quoted name."""
    select = _select_rows(columns, rows)
    if warehouse.capabilities.dialect is PORTABLE:
        return warehouse.stage(name, select)
    with closing(DuckDB(warehouse.tenant, ":memory:", threads=1)) as engine:
        return warehouse.stage(name, engine.fetch_arrow(select))


def _select_rows(columns: Sequence[TableColumn], rows: Iterable[Mapping[str, Any]]) -> str:
    """SELECT of rows that it contains as JSON. A decimal is a text there, because a JSON number would become a double."""
    types = {column.name: render_dtype(column.dtype, DUCKDB) for column in columns}
    structure = quote_literal(msgspec.json.encode([types]).decode())
    text = quote_literal(msgspec.json.encode(list(rows)).decode())
    names = ", ".join(f"r.{quote(column.name)}" for column in columns)
    return f"SELECT {names} FROM (SELECT unnest(from_json({text}, {structure})) AS r)"
