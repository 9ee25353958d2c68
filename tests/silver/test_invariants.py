"""The fourteen invariants of history, each against the oracle, on every engine.

HEADWATER_EXAMPLES raises how many sets of events are drawn, e.g. to 1000, and has each merged in five orders.
"""

from __future__ import annotations

import itertools
import os
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.errors import WarehouseError
from headwater.model.entity import Entity
from headwater.silver.merge.merge import merge
from headwater.silver.schema.migrate import drop_entity, migrate_tables
from headwater.temporal.asof import valid_at_sql
from headwater.temporal.sql import timestamp_sql
from headwater.testing.conformance.history.oracle import (
    OPEN,
    Event,
    build_history,
    merge_duplicates,
    sort_events,
    state_at,
)
from headwater.warehouse.base import Warehouse
from headwater.warehouse.duckdb.engine import DuckDB
from headwater.warehouse.row_lookup import select_rows_by_key
from tests.silver.builders import COLUMNS, THING, made, make_event, merge_events, read_versions, stage_events

VALUES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([None, "", "a", "b"]),
        "size": st.sampled_from([None, 0, 1]),
        "note": st.sampled_from([None, "", "x", "y"]),
    },
)


READS = (("b1", 1), ("b2", 2), ("b3", 3))
"""Batches, and when each was read."""


@st.composite
def an_event(draw: st.DrawFn, reads=READS) -> Event:
    operation = draw(st.sampled_from("UUUUUDAAP"))
    key, sequence = draw(st.sampled_from(["p:1", "p:2"])), draw(st.integers(1, 9))
    source = draw(st.sampled_from(["shop.things", "shop.things", "shop.others"]))
    batch, observed = draw(st.sampled_from(reads))
    place = draw(st.integers(0, 2)) if operation in "UD" else -1
    values = draw(VALUES) if operation == "U" else {}
    return make_event(key, sequence, operation, batch, source=source, observed=observed, place=place, **values)


EVENTS = st.lists(an_event(), min_size=1, max_size=14)
SIZES = st.lists(st.integers(1, 5), max_size=5)
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(PATIENT, max_examples=int(os.environ.get("HEADWATER_EXAMPLES", "40")))
ORDERS = 5 if "HEADWATER_EXAMPLES" in os.environ else 1
FEW = settings(PATIENT, max_examples=15)
FEWEST = settings(PATIENT, max_examples=4)
TWICE = settings(PATIENT, max_examples=2)


def told(events: list[Event]) -> list[tuple]:
    return build_history(events, COLUMNS, THING.overwritten)


def cut(events: list[Event], sizes: list[int]) -> list[list[Event]]:
    rest, batches = list(events), []
    for size in sizes:
        batches.append(rest[:size])
        rest = rest[size:]
    return [batch for batch in (*batches, rest) if batch]


def by_time(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: event.sequence)


class Keyed(DuckDB):
    """DuckDB as an engine that looks up rows by nothing but their key."""

    capabilities = replace(DuckDB.capabilities, narrow_reads=False)
    select_rows = select_rows_by_key


@contextmanager
def emptying(warehouse):
    """Gives the same warehouse again and again, emptied."""
    migrate_tables(warehouse, THING)

    def emptied():
        for layer, table in (
            ("silver", "thing"),
            ("silver", "thing_log"),
            ("meta", "change_feed"),
            ("meta", "tied_keys"),
        ):
            warehouse.delete(layer, table, "TRUE")
        return warehouse

    yield emptied


@pytest.fixture(scope="module")
def empty(engine):
    with emptying(engine.open()) as emptied:
        yield emptied


@pytest.fixture(scope="module")
def keyed():
    with emptying(Keyed("acme", ":memory:", threads=1)) as emptied:
        yield emptied


@MANY
@given(events=EVENTS, sizes=SIZES, data=st.data())
def test_1_any_permutation_batching_or_duplication_gives_the_history_of_the_oracle(empty, events, sizes, data):
    for _ in range(ORDERS):
        warehouse = empty()
        shuffled = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))
        for batch in cut(shuffled, sizes):
            merge_events(warehouse, batch)
        assert read_versions(warehouse) == told(events)


@MANY
@given(events=EVENTS, sizes=SIZES)
def test_1_events_in_order_give_the_history_of_the_oracle(empty, events, sizes):
    warehouse = empty()
    for batch in cut(by_time(events), sizes):
        merge_events(warehouse, batch)
    assert read_versions(warehouse) == told(events)


@FEW
@given(events=EVENTS, sizes=SIZES)
def test_1_an_engine_that_looks_up_rows_by_key_gives_the_same(keyed, events, sizes):
    warehouse = keyed()
    for batch in cut(events, sizes):
        merge_events(warehouse, batch)
    assert read_versions(warehouse) == told(events)


@MANY
@given(events=EVENTS, sizes=SIZES)
def test_1_several_merges_in_one_transaction_give_the_same(empty, events, sizes):
    warehouse = empty()
    first, *others = cut(events, sizes)
    merge_events(warehouse, first)
    with warehouse.transaction():
        for batch in others:
            merge_events(warehouse, batch)
    assert read_versions(warehouse) == told(events)


@FEW
@given(events=EVENTS, sizes=SIZES, data=st.data())
def test_2_replaying_any_batch_writes_no_row(empty, events, sizes, data):
    warehouse, batches = empty(), cut(events, sizes)
    for batch in batches:
        merge_events(warehouse, batch)
    before = everything(warehouse)
    done = merge_events(warehouse, data.draw(st.sampled_from(batches)))
    assert (done.events, done.inserted, done.deleted) == (0, 0, 0)
    assert everything(warehouse) == before


def everything(warehouse: Warehouse) -> list[list[tuple]]:
    tables = ("silver.thing", "silver.thing_log", "meta.change_feed", "meta.tied_keys", "meta.batch")
    return [sorted(warehouse.rows(f"SELECT * FROM {table}"), key=repr) for table in tables]


@FEW
@given(events=EVENTS, sizes=SIZES)
def test_3_and_4_versions_are_non_empty_disjoint_and_differ_where_they_touch(empty, events, sizes):
    warehouse = empty()
    for batch in cut(events, sizes):
        merge_events(warehouse, batch)
    rows = read_versions(warehouse)
    for key in {row[0] for row in rows}:
        own = [row for row in rows if row[0] == key]
        assert all(row[5] < row[6] for row in own)
        assert sum(row[7] for row in own) <= 1
        assert [row[8] for row in own] == list(range(1, len(own) + 1))
        for earlier, later in itertools.pairwise(own):
            assert earlier[6] <= later[5]
            assert earlier[6] < later[5] or earlier[1:4] != later[1:4]
        assert all(row[7] == (row[6] == OPEN) for row in own)


@FEW
@given(events=EVENTS, sizes=SIZES)
def test_5_as_of_an_instant_is_the_fold_of_the_log_up_to_it(empty, events, sizes):
    warehouse = empty()
    for batch in cut(events, sizes):
        merge_events(warehouse, batch)
    for moment in range(11):
        select = valid_at_sql("silver.thing", columns=("entity_key", "name", "size"), at=timestamp_sql(str(moment)))
        found = {row[0]: row[1:] for row in warehouse.rows(select)}
        for key in ("p:1", "p:2"):
            state = state_at(events, key, moment)
            assert found.get(key) == (None if state is None else (state.get("name"), state.get("size")))


@FEW
@given(events=EVENTS, sizes=SIZES)
def test_6_what_is_overwritten_is_the_newest_known_value_on_all_versions(empty, events, sizes):
    warehouse = empty()
    for batch in cut(by_time(events), sizes):
        merge_events(warehouse, batch)
    wanted = {row[0]: row[4] for row in told(events)}
    assert all(row[4] == wanted[row[0]] for row in read_versions(warehouse))


@FEW
@given(sequences=st.permutations([1, 2, 3]), values=st.permutations(["null", "empty", "absent"]))
def test_7_null_empty_and_absent_stay_three_things(empty, sequences, values):
    warehouse = empty()
    merge_events(warehouse, [make_event("p:1", 0, name="first", size=1, note="n")])
    state, wanted = "first", []
    said = dict(zip(sequences, values, strict=True))
    events = []
    for sequence in (1, 2, 3):
        name = {"null": {"name": None}, "empty": {"name": ""}, "absent": {}}[said[sequence]]
        events.append(make_event("p:1", sequence, **name))
        state = name.get("name", state)
        wanted.append(state)
    merge_events(warehouse, events)
    found = {
        sequence: warehouse.rows(valid_at_sql("silver.thing", columns=("name",), at=timestamp_sql(str(sequence))))[0][0]
        for sequence in (1, 2, 3)
    }
    assert [found[sequence] for sequence in (1, 2, 3)] == wanted
    assert len({event.hash for event in events}) == 3


@FEW
@given(operations=st.lists(st.sampled_from("UDA"), min_size=1, max_size=8), sizes=SIZES)
def test_8_deletes_repeat_without_effect_and_an_update_after_one_reopens(empty, operations, sizes):
    warehouse = empty()
    events = [
        make_event("p:1", number, operation, **({"name": "same", "size": 1, "note": "n"} if operation == "U" else {}))
        for number, operation in enumerate(operations, 1)
    ]
    for batch in cut(events, sizes):
        merge_events(warehouse, batch)
    stretches = "".join("U" if operation == "U" else " " for operation in operations).split()
    assert len(read_versions(warehouse)) == len(stretches)
    assert bool(warehouse.rows("SELECT 1 FROM silver.thing WHERE is_current")) == (operations[-1] == "U")


@MANY
@given(events=EVENTS)
def test_reads_in_order_give_what_all_their_events_give_though_repetitions_are_left_out(empty, events):
    warehouse = empty()
    by_read = [[event for event in events if event.batch == batch] for batch, _ in READS]
    for batch in filter(None, by_read):
        merge_events(warehouse, batch, in_order=True)
    assert read_versions(warehouse) == told(events)
    before = everything(warehouse)
    merge_events(empty(), events, in_order=True)
    assert everything(warehouse)[:2] == before[:2]


@FEW
@given(events=EVENTS, source=st.sampled_from(["shop.things", "shop.others"]))
def test_reading_the_same_once_more_in_order_writes_nothing(empty, events, source):
    warehouse = empty()
    merge_events(warehouse, events)
    before = everything(warehouse)
    winners = {(event.key, event.sequence): event for event in sort_events(merge_duplicates(events))}
    again = [replace(event, batch="b9", observed=9, first=None) for event in winners.values()]
    done = merge_events(warehouse, again, in_order=True)
    assert (done.events, done.inserted, done.deleted) == (0, 0, 0)
    assert everything(warehouse) == before


@FEW
@given(events=EVENTS, sizes=SIZES)
def test_9_a_rebuild_is_identical_to_the_incremental_result(empty, events, sizes):
    warehouse = empty()
    for batch in cut(events, sizes):
        merge_events(warehouse, batch)
    incremental = read_versions(warehouse)
    merge_events(empty(), events)
    assert read_versions(warehouse) == incremental


WIDER = Entity.model_validate(
    {
        **THING.model_dump(),
        "on_schema_change": "from_now",
        "columns": {
            **{name: column.model_dump() for name, column in THING.columns.items()},
            "colour": {"type": "text"},
        },
    }
)


@FEWEST
@given(events=EVENTS, later=EVENTS)
def test_10_a_further_column_makes_no_version_and_history_goes_on(engine, events, later):
    warehouse = made(engine)
    merge_events(warehouse, events)
    before = read_versions(warehouse)
    migrate_tables(warehouse, WIDER)
    assert read_versions(warehouse) == before
    assert warehouse.rows("SELECT DISTINCT colour FROM silver.thing_current") in ([], [(None,)])
    coloured = [replace(one, values={**one.values, "colour": "red"}) if one.operation == "U" else one for one in later]
    coloured = [replace(one, hash=one.hash + "+") for one in coloured]
    merge_events(warehouse, coloured, WIDER)
    assert read_versions(warehouse, WIDER) == build_history(
        [*events, *coloured], tuple(WIDER.columns), WIDER.overwritten
    )


@FEWEST
@given(mine=EVENTS, theirs=EVENTS)
def test_11_no_row_of_a_tenant_moves_when_another_ones_do(mine, theirs, engine):
    first, second = made(engine), made(engine)
    merge_events(first, mine)
    before = everything(first)
    merge_events(second, theirs)
    assert everything(first) == before
    assert read_versions(second) == told(theirs)


class PulledOut(BaseException):
    """The power went."""


@pytest.mark.slow
@TWICE
@given(before=EVENTS, arriving=EVENTS)
def test_12_stopped_at_any_statement_and_run_again_gives_the_same_state(empty, before, arriving):
    warehouse = empty()
    merge_events(warehouse, before)
    start, wanted = everything(warehouse), told([*before, *arriving])
    for statement in range(200):
        finished = _stopped_at(warehouse, statement, stage_events(warehouse, arriving))
        if finished:
            break
        if everything(warehouse) != start:
            # A statement follows the one that counts, so the state is the one after.
            assert read_versions(warehouse) == wanted
            merge(warehouse, THING, stage_events(warehouse, arriving))
            assert read_versions(warehouse) == wanted
            empty()
            merge_events(warehouse, before)
    assert finished
    assert read_versions(warehouse) == wanted


def _stopped_at(warehouse: Warehouse, statement: int, relation: str) -> bool:
    """Merge, and pull the plug before the given statement; whether the merge was done before that."""
    run, count = warehouse._run, iter(range(1000))

    def pulling(text, parameters=()):
        if next(count) == statement:
            raise PulledOut
        return run(text, parameters)

    warehouse._run = pulling
    try:
        merge(warehouse, THING, relation)
    except PulledOut:
        return False
    finally:
        del warehouse._run
    return True


@FEW
@given(events=EVENTS, later=st.lists(an_event(), min_size=1, max_size=3))
def test_13_rows_written_are_bounded_by_the_affected_keys(empty, events, later):
    warehouse = empty()
    merge_events(warehouse, [replace(one, key=f"q:{number}") for number, one in enumerate(events)])
    merge_events(warehouse, events)
    keys = {event.key for event in later}
    stored = sum(row[0] in keys for row in read_versions(warehouse))
    others = [row for row in read_versions(warehouse) if row[0] not in keys]
    done = merge_events(warehouse, later)
    assert done.events <= len(later)
    assert done.deleted <= stored
    assert done.inserted <= stored + 2 * len(later)
    assert [row for row in read_versions(warehouse) if row[0] not in keys] == others


def test_14_events_that_cannot_be_merged_leave_nothing_behind(empty):
    warehouse = empty()
    with pytest.raises(WarehouseError):
        merge(warehouse, THING, "nowhere")
    assert read_versions(warehouse) == []
    merge_events(warehouse, [make_event("p:1", 1, name="a")])
    assert len(read_versions(warehouse)) == 1


def test_dropping_an_entity_forgets_it(engine):
    warehouse = made(engine)
    merge_events(warehouse, [make_event("p:1", 1, name="a")])
    drop_entity(warehouse, THING)
    assert warehouse.tables("silver") == ()
    migrate_tables(warehouse, THING)
    assert read_versions(warehouse) == []
