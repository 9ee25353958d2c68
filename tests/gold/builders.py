"""A bench to try gold on: the corpus's firm, on the engine that a module's tests run on."""

from __future__ import annotations

from typing import Any

from headwater.testing.conformance.star.load import (
    build_star,
    build_table,
    create_tables,
    make_event,
    merge_events,
    read_at,
    read_rows,
    read_star,
    sequence_at,
    sort_rows,
)
from headwater.testing.conformance.star.model import DIMENSIONS, ENTITIES, FACTS, STAR, declarations, star_of
from headwater.warehouse.duckdb.engine import DuckDB
from tests.grid.engines import Engine

__all__ = [
    "DIMENSIONS",
    "ENTITIES",
    "FACTS",
    "STAR",
    "build_star",
    "build_table",
    "declarations",
    "make_event",
    "merge_events",
    "opened",
    "read_at",
    "read_rows",
    "read_star",
    "sequence_at",
    "sort_rows",
    "star_of",
]

chosen: list[Engine] = []
"""The engine that the tests of a module run on (see conftest); DuckDB in memory when there is none."""


def opened(*names: str) -> Any:
    """A warehouse with empty tables of these entities; others come when somebody tells of them, or a table needs them."""
    warehouse = chosen[-1].open() if chosen else DuckDB("acme", ":memory:", threads=1)
    return create_tables(warehouse, *names) if names else warehouse
