"""A bench to try gold on: the corpus's firm, on the engine that a module's tests run on."""

from __future__ import annotations

from typing import Any

from headwater.testing.conformance.star.load import (
    build_star,
    build_table,
    create_tables,
    make_event,
    merge_events,
    read_rows,
    read_star,
    sort_rows,
    to_read_time,
    to_sequence,
)
from headwater.testing.conformance.star.model import DIMENSIONS, ENTITIES, FACTS, STAR, build_declarations, make_star
from headwater.warehouse.duckdb.engine import DuckDB
from tests.grid.engines import Engine

__all__ = [
    "DIMENSIONS",
    "ENTITIES",
    "FACTS",
    "STAR",
    "build_declarations",
    "build_star",
    "build_table",
    "make_event",
    "make_star",
    "merge_events",
    "open_warehouse",
    "read_rows",
    "read_star",
    "sort_rows",
    "to_read_time",
    "to_sequence",
]

chosen: list[Engine] = []
"""The engine that the tests of a module run on (see conftest); DuckDB in memory when there is none."""


def open_warehouse(*names: str) -> Any:
    """A warehouse with empty tables of these entities; others come when somebody tells of them, or a table needs them."""
    warehouse = chosen[-1].open() if chosen else DuckDB("acme", ":memory:", threads=1)
    return create_tables(warehouse, *names) if names else warehouse
