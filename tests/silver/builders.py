"""A bench to try silver on: the corpus's entity, on a warehouse of its own or of the grid."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from headwater.model.entity import Entity
from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.history.entity import (
    COLUMNS,
    THING,
    make_event,
    merge_events,
    read_versions,
    stage_events,
)
from headwater.testing.conformance.history.oracle import Event
from headwater.warehouse.base import Warehouse
from headwater.warehouse.duckdb.engine import DuckDB
from tests.grid.engines import Engine

__all__ = [
    "COLUMNS",
    "THING",
    "cut",
    "make_event",
    "merge_events",
    "open_duckdb",
    "open_on_engine",
    "read_versions",
    "stage_events",
]


def open_duckdb(entity: Entity = THING, path: str = ":memory:") -> DuckDB:
    warehouse = DuckDB("acme", path, threads=1)
    migrate_tables(warehouse, entity)
    return warehouse


def open_on_engine(engine: Engine, entity: Entity = THING, tenant: str = "") -> Warehouse:
    """A warehouse on an engine of the grid, ready for the entity."""
    warehouse = engine.open(tenant)
    migrate_tables(warehouse, entity)
    return warehouse


def cut(events: Sequence[Event], sizes: Iterable[int]) -> list[list[Event]]:
    """The events in batches of the given sizes; what is left over is the last batch."""
    rest = iter(events)
    batches = [list(itertools.islice(rest, size)) for size in sizes]
    return [batch for batch in (*batches, list(rest)) if batch]
