"""Spark beyond what every engine does: Delta with many histories at once, a star on Delta, no engine left out unnoticed."""

from __future__ import annotations

import random
from contextlib import closing

import pytest

from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.history.oracle import build_history
from headwater.testing.conformance.star import load
from headwater.warehouse.duckdb.engine import DuckDB
from tests.grid.engines import LONG
from tests.grid.spark_session import notice
from tests.silver.builders import COLUMNS, THING, make_event, merge_events, read_versions

FLAVOURS = {"spark": "delta"}
"""What is kept here as Delta tables; the rest of the corpus runs on Parquet, which takes a third of the time."""

pytestmark = pytest.mark.parametrize("engine", ["spark"], indirect=True, scope="module")

SETS, ORDERS, BATCHES = 100, 5, 3


def an_event(chance, key):
    operation, sequence = chance.choice("UUUUUDA"), chance.randint(1, 9)
    values = {"name": (None, "", "a", "b"), "size": (None, 0, 1), "note": (None, "", "x", "y")}
    known = {name: chance.choice(those) for name, those in values.items() if chance.random() < 0.7}
    batch = chance.choice(["b1", "b2", "b3"])
    return lambda order: make_event(f"{order}:{key}", sequence, operation, batch, **(known if operation == "U" else {}))


def test_a_hundred_sets_in_five_orders_and_batchings_end_in_the_history_of_the_oracle(engine):
    """Each set in each order has keys of its own, so all of them go through the same few merges."""
    chance, told, batches = random.Random(11), [], [[] for _ in range(BATCHES)]
    for number in range(SETS):
        drawn = [an_event(chance, f"{number}-{chance.randint(1, 2)}") for _ in range(chance.randint(1, 14))]
        for order in range(ORDERS):
            events = [make(order) for make in drawn]
            told += events
            shuffled = events + chance.choices(events, k=chance.randint(0, 4))
            chance.shuffle(shuffled)
            for event in shuffled:
                batches[chance.randrange(BATCHES)].append(event)
    warehouse = engine.open()
    migrate_tables(warehouse, THING)
    for batch in batches:
        merge_events(warehouse, batch)
    wanted = build_history(told, COLUMNS, THING.overwritten)
    assert read_versions(warehouse) == wanted
    done = merge_events(warehouse, batches[0])
    assert (done.events, done.inserted, done.deleted) == (0, 0, 0)


def change_star(warehouse):
    """A star that is built, changes, and is built again: all its rows."""
    load.merge_events(warehouse, "company", load.make_event("company", 1, "2024-01-01", segment="a"))
    load.merge_events(warehouse, "company", load.make_event("company", 2, "2024-01-01", segment="a"))
    load.merge_events(warehouse, "entry", load.make_event("entry", 1, "2024-01-15", member_id=7))
    load.build_star(warehouse)
    load.merge_events(warehouse, "company", load.make_event("company", 1, "2024-02-01", segment="b"))
    load.build_star(warehouse)
    return load.read_star(warehouse, skip=("dim_date",))


@pytest.mark.slow
@LONG
def test_a_star_of_delta_tables_is_that_of_duckdb(engine):
    with closing(load.create_tables(DuckDB("acme", ":memory:", threads=1))) as plain:
        wanted = change_star(plain)
    assert change_star(load.create_tables(engine.open())) == wanted


def test_a_run_says_which_engine_it_left_out(engine):
    class Report:
        longrepr = ("conftest.py", 1, "Skipped: engine spark: needs Java 17 or newer, found none")

    assert notice([Report(), Report()]) == "2 tests of Spark were skipped: it needs Java 17 or newer, found none"
    assert notice([]) == ""
