"""The versions of a dimension of two entities, held at every instant against an oracle that knows events only."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.gold.dimension.build import build_dimension
from headwater.model.dimension import EntityDimension
from headwater.testing.conformance.history.oracle import OPEN, Event, build_history
from tests.gold.builders import STAR, make_event, make_star, merge_events, open_warehouse

pytestmark = pytest.mark.usefixtures("on_each_engine")

COMPANY = EntityDimension.model_validate(
    {
        "dimension": "company",
        "entity": "company",
        "attributes": {"segment": "T2", "name": "T1", "born": {"history": "T0", "value": "segment"}},
        "join": [{"entity": "address", "on": "company_id", "attributes": {"city": "T2", "phone": "T1"}}],
    }
)
COLUMNS = {name: list(STAR.declarations.entities[name].columns) for name in ("company", "address")}

WHEN = st.integers(1, 8).map(lambda month: f"2024-{month:02}-01")
WORD = st.sampled_from([None, "a", "b"])
COMPANIES = st.lists(st.tuples(st.integers(1, 2), WHEN, st.sampled_from("UUUD"), WORD, WORD), max_size=8)
ADDRESSES = st.lists(
    st.tuples(st.integers(1, 3), WHEN, st.sampled_from("UUUD"), st.sampled_from([None, 1, 2]), WORD, WORD), max_size=8
)


@settings(max_examples=12, deadline=None)
@given(companies=COMPANIES, addresses=ADDRESSES)
def test_members_are_at_every_instant_what_the_events_say(companies: Any, addresses: Any) -> None:
    own = [
        make_event("company", key, when, op, segment=segment, name=name) for key, when, op, segment, name in companies
    ]
    joined = [
        make_event("address", key, when, op, company_id=company, city=city, phone=phone)
        for key, when, op, company, city, phone in addresses
    ]
    warehouse = open_warehouse("company", "address")
    if own:
        merge_events(warehouse, "company", *own)
    if joined:
        merge_events(warehouse, "address", *joined)
    build_dimension(warehouse, make_star(COMPANY), COMPANY)
    stored = warehouse.rows(
        "SELECT entity_key, epoch_us(valid_from), epoch_us(valid_to), segment, city, born, name, phone, is_current "
        "FROM gold.dim_company WHERE company_key > 0 ORDER BY 1, 2"
    )
    warehouse.close()
    for key in {event.key for event in own} | {row[0] for row in stored}:
        check_key(key, [row[1:] for row in stored if row[0] == key], own, joined)


def check_key(key: str, rows: list[tuple[Any, ...]], own: list[Event], joined: list[Event]) -> None:
    instants = sorted({event.sequence for event in (*own, *joined)})
    states = [state for state in (find_state(key, instant, own, joined) for instant in instants) if state]
    for instant in instants:
        expected = find_state(key, instant, own, joined)
        there = [row for row in rows if row[0] <= instant < row[1]]
        assert [row[2:4] for row in there] == ([expected[:2]] if expected else [])
    for row in rows:
        assert row[4:7] == (states[0][0], states[-1][2], states[-1][3])
        assert row[7] == (row[1] == OPEN)
    for before, after in itertools.pairwise(rows):
        assert before[1] < after[0] or before[2:4] != after[2:4]


def find_state(key: str, instant: int, own: list[Event], joined: list[Event]) -> tuple[Any, ...] | None:
    """Segment, city, name and phone at an instant; None when the company is not there."""
    companies = [
        row for row in build_history(own, COLUMNS["company"]) if row[0] == key and row[-5] <= instant < row[-4]
    ]
    if not companies:
        return None
    company = dict(zip(COLUMNS["company"], companies[0][1:], strict=False))
    near = [
        row
        for row in build_history(joined, COLUMNS["address"])
        if row[2] == company["company_id"] and row[-5] <= instant < row[-4]
    ]
    best = max(near, key=lambda row: (row[-5], row[0]), default=(None,) * 5)
    return company["segment"], best[3], company["name"], best[4]


def test_the_oracle_sees_a_joined_city() -> None:
    own = [make_event("company", 1, "2024-01-01", segment="s", name="n")]
    joined = [make_event("address", 9, "2024-02-01", company_id=1, city="c", phone="p")]
    instant = joined[0].sequence
    assert find_state("desk:1", instant, own, joined) == ("s", "c", "n", "p")
    assert find_state("desk:1", own[0].sequence, own, joined) == ("s", None, "n", None)
