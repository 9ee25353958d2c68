"""The query for the rows that were valid at an instant, in an engine's own dialect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from headwater.clock import format_instant
from headwater.temporal.asof import valid_at_sql
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import SchemaName, Warehouse
from headwater.warehouse.dialect.condition import parse_condition
from headwater.warehouse.dialect.render import render


def select_rows_at(
    warehouse: Warehouse,
    layer: SchemaName,
    name: str,
    *,
    columns: Sequence[str],
    instant: datetime,
    where: str = "",
    limit: int | None = None,
) -> str:
    """The SELECT of the rows of a table that were valid at an instant, sorted by key, for `Warehouse.answer`.

    `where` is one condition in the engine's own dialect, as the user typed it.
    """
    dialect = warehouse.capabilities.dialect
    at = f"TIMESTAMP '{format_instant(instant).removesuffix('Z').replace('T', ' ')}'"
    select = render(valid_at_sql(warehouse.ref(layer, name), columns=columns, at=at), dialect)
    condition = f"\nAND {parse_condition(where, dialect.name, where='--where')}" if where.strip() else ""
    order = render(f"SELECT 1 ORDER BY {column_list_sql(('entity_key', 'valid_from'))}", dialect).removeprefix(
        "SELECT 1 "
    )
    top = "" if limit is None else f"\nLIMIT {limit:d}"
    return f"{select}{condition}\n{order}{top}"
