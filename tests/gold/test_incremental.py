"""However events arrive and whenever tables are built: the star is the one that a rebuild makes, key for key."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.model.tables import list_in_build_order
from headwater.testing.conformance.history.oracle import Event
from headwater.testing.conformance.star.compare import find_duplicate_key, find_unresolved_key, read_comparable
from headwater.warehouse.base import Warehouse
from tests.gold.builders import STAR, build_star, build_table, make_event, merge_events, open_warehouse

pytestmark = pytest.mark.usefixtures("on_each_engine")

DAYS = st.sampled_from(["2024-01-01", "2024-01-20", "2024-02-10", "2024-03-05", "2024-03-05 12:00"])
NUMBERS = st.integers(1, 2)
MAYBE = st.sampled_from([None, 1, 2, 2, 3])
WORDS = st.sampled_from([None, "x", "y", "internal"])
AMOUNTS = st.one_of(st.none(), st.integers(0, 2))
DATES = st.sampled_from([None, *map(date.fromisoformat, ("2023-12-15", "2024-01-10", "2024-02-20", "2024-05-01"))])
INSTANTS = DATES.map(lambda day: day and datetime.combine(day, time(8)))

VALUES = {
    "company": {"name": WORDS, "segment": WORDS, "parent_id": MAYBE, "number": st.sampled_from([None, None, "1", "2"])},
    "address": {"company_id": MAYBE, "city": WORDS, "phone": WORDS},
    "member": {"name": WORDS, "cost": AMOUNTS},
    "entry": {
        "member_id": MAYBE, "approver_id": MAYBE, "company_id": MAYBE, "started_at": INSTANTS, "hours": AMOUNTS,
        "rate": AMOUNTS, "option": st.sampled_from([None, "Billable", "NoCharge"]),
    },
    "product": {"company_id": MAYBE, "amount": AMOUNTS, "sold_on": DATES},
    "agreement": {"company_id": MAYBE, "amount": AMOUNTS, "starts_on": DATES, "ends_on": DATES},
}  # fmt: skip

TABLES = list_in_build_order(STAR.declarations)


@st.composite
def draw_event(draw: st.DrawFn) -> tuple[str, Event]:
    entity = draw(st.sampled_from(list(VALUES)))
    when, operation = draw(DAYS), draw(st.sampled_from("UUUUD"))
    values = {name: draw(strategy) for name, strategy in VALUES[entity].items()}
    batch = f"b{draw(st.integers(1, 6))}"
    return entity, make_event(entity, draw(NUMBERS), when, operation, batch=batch, **values)


STEPS = st.lists(
    st.tuples(st.lists(draw_event(), min_size=4, max_size=24), st.sets(st.integers(0, len(TABLES) - 1))),
    min_size=1,
    max_size=4,
)


@settings(max_examples=4, deadline=None)
@given(steps=STEPS)
def test_any_order_of_events_and_builds_ends_in_what_a_rebuild_makes(steps: Any) -> None:
    check_same_end(steps)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("engine", ["duckdb"], indirect=True, scope="module")
@settings(max_examples=12, deadline=None)
@given(steps=STEPS)
def test_any_order_of_many_more_events_and_builds_ends_in_what_a_rebuild_makes(steps: Any) -> None:
    check_same_end(steps)


def check_same_end(steps: Any) -> None:
    """A star that grew by `steps` is the one made at once of all their events; a replay and a rebuild write nothing."""
    grown, rebuilt = open_warehouse(), open_warehouse()
    build_star(grown)
    for arriving, tables in steps:
        put_all(grown, arriving)
        for number in sorted(tables):
            build_table(grown, STAR, TABLES[number])
    build_star(grown)
    put_all(rebuilt, [event for arriving, _ in steps for event in arriving])
    build_star(rebuilt)

    for name, rows in read_comparable(rebuilt).items():
        assert read_comparable(grown)[name] == rows, name
    assert build_star(grown).rows == 0
    assert build_star(grown, rebuild=True).rows == 0
    assert not find_unresolved_key(grown)
    assert not find_duplicate_key(grown)
    grown.close()
    rebuilt.close()


def put_all(warehouse: Warehouse, arriving: list[tuple[str, Event]]) -> None:
    for entity in VALUES:
        if own := [event for name, event in arriving if name == entity]:
            merge_events(warehouse, entity, *own)
