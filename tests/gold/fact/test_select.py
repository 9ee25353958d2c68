"""Facts: which member each row points at, and which rows change when news arrives."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.errors import DeclarationError
from headwater.events import Event, FindingMade
from headwater.model.dimension import EntityDimension
from headwater.model.fact import Fact
from headwater.testing.conformance.history.oracle import OPEN, build_history
from headwater.warehouse.base import Warehouse, WriteCounts
from tests.gold.builders import (
    STAR,
    build_star,
    build_table,
    make_event,
    make_star,
    merge_events,
    open_warehouse,
    read_rows,
)

pytestmark = pytest.mark.usefixtures("on_each_engine")

MEMBER = EntityDimension.model_validate({"dimension": "member", "entity": "member", "attributes": {"cost": "T2"}})
ENTRY = STAR.declarations.facts["entry"]


def make_fact(**parts: Any) -> Fact:
    return Fact.model_validate({"fact": "entry", "entity": "entry", "grain": ["entry_id"], **parts})


def make_member_fact(strategy: str = "current", **more: Any) -> Fact:
    at = {"at": "started_at"} if strategy == "point_in_time" else {}
    lookup = {"dimension": "member", "on": "member_id", "strategy": strategy, **at, **more}
    return make_fact(lookups={"member": lookup})


def load(warehouse: Warehouse, table: Fact, **options: Any) -> WriteCounts:
    names = {lookup.dimension for lookup in table.lookups.values()} & {"company", "date", "option", "worker"}
    star = make_star(MEMBER, *(STAR.declarations.dimensions[name] for name in sorted(names)), table)
    for dimension in star.declarations.dimensions.values():
        build_table(warehouse, star, dimension)
    return build_table(warehouse, star, table, **options)


def make_entry(number: int, day: str | None, **values: Any) -> Any:
    started = datetime.fromisoformat(day) if day else None
    return make_event("entry", number, "2024-06-01", started_at=started, **values)


def read_members(warehouse: Warehouse) -> dict[int, tuple[str | None, float | None, str]]:
    """Entry -> the member that it points at: entity key, cost and start of the version."""
    select = (
        "SELECT f.entry_id, d.entity_key, d.cost, strftime(d.valid_from, '%Y-%m-%d') "
        "FROM gold.fact_entry AS f JOIN gold.dim_member AS d USING (member_key)"
    )
    return {entry: (key, cost and float(cost), start) for entry, key, cost, start in warehouse.rows(select)}


def merge_costs(warehouse: Warehouse) -> None:
    merge_events(
        warehouse,
        "member",
        make_event("member", 1, "2024-02-01", cost=10),
        make_event("member", 1, "2024-03-01", cost=20),
        make_event("member", 1, "2024-04-01", "D"),
        make_event("member", 1, "2024-05-01", cost=50),
    )


def test_point_in_time_finds_the_version_at_the_instant_before_the_first_the_first_in_a_gap_the_last_before():
    warehouse = open_warehouse()
    merge_costs(warehouse)
    days = {1: "2024-01-01", 2: "2024-02-15", 3: "2024-03-01", 4: "2024-04-20", 5: "2024-05-01", 6: None}
    merge_events(warehouse, "entry", *(make_entry(number, day, member_id=1) for number, day in days.items()))
    load(warehouse, make_member_fact("point_in_time"))
    assert {entry: member[1] for entry, member in read_members(warehouse).items()} == {
        1: 10,
        2: 10,
        3: 20,
        4: 20,
        5: 50,
        6: 50,
    }


def test_current_finds_the_newest_version_even_a_closed_one():
    warehouse = open_warehouse()
    merge_costs(warehouse)
    merge_events(warehouse, "member", make_event("member", 1, "2024-06-01", "D"))
    merge_events(warehouse, "entry", make_entry(1, "2024-02-15", member_id=1))
    load(warehouse, make_member_fact())
    assert read_members(warehouse)[1][1] == 50


INSTANTS = st.integers(1, 12).map(lambda month: f"2024-{month:02}-01")
COSTS = st.lists(st.tuples(INSTANTS, st.sampled_from("UUUD"), st.integers(1, 3)), max_size=8)


@settings(max_examples=10, deadline=None)
@given(events=COSTS, later=COSTS, days=st.lists(st.one_of(st.none(), INSTANTS), min_size=1, max_size=6))
def test_point_in_time_agrees_with_an_oracle_also_after_late_news(events: Any, later: Any, days: Any) -> None:
    warehouse, table = open_warehouse("entry", "member"), make_member_fact("point_in_time")
    merge_events(warehouse, "entry", *(make_entry(number, day, member_id=1) for number, day in enumerate(days)))
    known = []
    for news in (events, later):
        known += [make_event("member", 1, when, operation, cost=cost) for when, operation, cost in news]
        if news:
            merge_events(warehouse, "member", *known[-len(news) :])
        load(warehouse, table)
        answers = read_members(warehouse)
        for number, day in enumerate(days):
            assert answers[number][1] == find_cost(known, day), (number, day)
    warehouse.close()


def find_cost(events: list[Any], day: str | None) -> float | None:
    """The cost at a day, from the events alone: by looking through versions one after the other."""
    versions = [(row[3], row[2]) for row in build_history(events, ["member_id", "cost"])]
    if not versions:
        return None
    sequence = OPEN if day is None else int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() * 1_000_000)
    best = versions[0]
    for version in versions:
        if version[0] <= sequence:
            best = version
    return float(best[1])


def test_no_key_is_unknown_and_not_applicable_where_that_is_declared():
    warehouse = open_warehouse()
    merge_events(
        warehouse,
        "entry",
        make_entry(1, None, option="NoCharge"),
        make_entry(2, None, option="Billable"),
        make_entry(3, None),
    )
    load(warehouse, make_member_fact(not_applicable="option = 'NoCharge'"))
    assert read_rows(warehouse, "fact_entry", "entry_id", "member_key") == [(1, -2), (2, -1), (3, -1)]


def test_a_member_met_early_is_inferred_keeps_its_key_and_goes_when_nobody_asks():
    warehouse, table = open_warehouse(), make_member_fact("point_in_time")
    merge_events(warehouse, "entry", make_entry(1, "2024-02-15", member_id=1), make_entry(2, "2024-02-15", member_id=2))
    load(warehouse, table)
    early = read_rows(
        warehouse, "dim_member", "entity_key", "member_key", "is_inferred", "cost", where="member_key > 0"
    )
    assert [row[0] for row in early] == ["desk:1", "desk:2"]
    assert all(inferred and cost is None for _, _, inferred, cost in early)

    before = read_rows(warehouse, "fact_entry", "entry_id", "member_key")
    merge_costs(warehouse)
    load(warehouse, table)
    assert read_rows(warehouse, "fact_entry", "entry_id", "member_key") == before
    assert read_members(warehouse)[1] == ("desk:1", 10, "2024-02-01")
    assert read_rows(warehouse, "dim_member", "entity_key", where="is_inferred") == [("desk:2",)]

    merge_events(warehouse, "entry", make_event("entry", 2, "2024-07-01", member_id=1))
    load(warehouse, table)
    assert read_rows(warehouse, "dim_member", "entity_key", where="is_inferred") == []


def test_an_inferred_member_stays_while_another_fact_asks_for_it():
    warehouse = open_warehouse()
    merge_events(warehouse, "entry", make_entry(1, None, company_id=5))
    merge_events(warehouse, "product", make_event("product", 1, "2024-01-01", company_id=5))
    build_star(warehouse)
    merge_events(warehouse, "entry", make_event("entry", 1, "2024-07-01", company_id=None))
    build_star(warehouse)
    assert read_rows(warehouse, "dim_company", "entity_key", where="is_inferred") == [("desk:5",)]
    merge_events(warehouse, "product", make_event("product", 1, "2024-07-01", "D"))
    build_star(warehouse)
    assert read_rows(warehouse, "dim_company", "entity_key", where="is_inferred") == []


def test_late_news_points_exactly_the_facts_anew_whose_answer_changed():
    warehouse, table = open_warehouse(), make_member_fact("point_in_time")
    merge_events(
        warehouse,
        "member",
        make_event("member", 1, "2024-01-01", cost=1),
        make_event("member", 2, "2024-01-01", cost=1),
    )
    days = [f"2024-{month:02}-15" for month in range(1, 11)]
    merge_events(warehouse, "entry", *(make_entry(number, day, member_id=1) for number, day in enumerate(days)))
    merge_events(warehouse, "entry", *(make_entry(100 + number, day, member_id=2) for number, day in enumerate(days)))
    load(warehouse, table)
    merge_events(warehouse, "member", make_event("member", 1, "2024-08-01", cost=2))
    assert load(warehouse, table) == WriteCounts(deleted=3, inserted=3)
    assert load(warehouse, table) == WriteCounts()


def test_expressions_use_what_was_declared_and_attributes_that_lookups_found():
    warehouse = open_warehouse()
    merge_costs(warehouse)
    merge_events(
        warehouse,
        "entry",
        make_entry(1, "2024-03-05", member_id=1, hours=2, rate=100),
        make_entry(2, None, hours=3, rate=10),
    )
    build_star(warehouse)
    assert read_rows(warehouse, "fact_entry", "entry_id", "worked", "revenue", "cost", "margin") == [
        (1, 2, 200, 40, 160.0),
        (2, 3, 30, 0, 30.0),
    ]
    stored = {column.name: column.dtype for column in warehouse.describe("gold", "fact_entry") or ()}
    assert (stored["worked"], stored["margin"]) == ("decimal(18,4)", "double")


def test_facts_follow_when_only_an_attribute_of_their_member_changes():
    lookup = {"dimension": "company", "on": "company_id"}
    warehouse, table = open_warehouse(), make_fact(degenerate={"who": "company.name"}, lookups={"company": lookup})
    merge_events(warehouse, "company", make_event("company", 1, "2024-01-01", name="Old"))
    merge_events(warehouse, "entry", make_entry(1, None, company_id=1), make_entry(2, None, company_id=2))
    load(warehouse, table)
    before = read_rows(warehouse, "fact_entry", "entry_id", "company_key")
    merge_events(warehouse, "company", make_event("company", 1, "2024-02-01", name="New"))
    assert load(warehouse, table) == WriteCounts(deleted=1, inserted=1)
    assert read_rows(warehouse, "fact_entry", "entry_id", "who") == [(1, "New"), (2, None)]
    assert read_rows(warehouse, "fact_entry", "entry_id", "company_key") == before


def test_a_lookup_may_stand_on_what_another_lookup_found():
    warehouse = open_warehouse()
    merge_events(
        warehouse,
        "company",
        make_event("company", 1, "2024-01-01", number="2"),
        make_event("company", 2, "2024-01-01", name="head office"),
    )
    merge_events(warehouse, "entry", make_entry(1, None, company_id=1))
    build_star(warehouse)
    select = "SELECT d.name FROM gold.fact_entry AS f JOIN gold.dim_company AS d ON d.company_key = f.head_key"
    assert warehouse.rows(select) == [("head office",)]
    merge_events(warehouse, "company", make_event("company", 1, "2024-02-01", number=None))
    build_star(warehouse)
    assert read_rows(warehouse, "fact_entry", "head_key") == [(-1,)]


def test_a_fact_of_several_parts_keeps_what_each_part_lets_through():
    warehouse = open_warehouse()
    merge_events(
        warehouse,
        "company",
        make_event("company", 1, "2024-01-01", segment="internal"),
        make_event("company", 2, "2024-01-01"),
    )
    merge_events(
        warehouse,
        "entry",
        make_entry(1, None, company_id=1, hours=1, rate=5),
        make_entry(2, None, company_id=2, hours=2, rate=5),
    )
    merge_events(warehouse, "product", make_event("product", 2, "2024-01-01", company_id=1, amount=9))
    build_star(warehouse)
    assert read_rows(warehouse, "fact_line", "kind", "line_id", "amount") == [("PRODUCT", 2, 9), ("SERVICE", 2, 10)]
    # What a lookup finds decides whether the row is there: late news lets it in.
    merge_events(warehouse, "company", make_event("company", 1, "2024-02-01", segment="extern"))
    build_star(warehouse)
    assert [row[:2] for row in read_rows(warehouse, "fact_line", "kind", "line_id")] == [
        ("PRODUCT", 2), ("SERVICE", 1), ("SERVICE", 2),
    ]  # fmt: skip


def test_a_row_goes_when_its_source_row_is_deleted():
    warehouse = open_warehouse()
    merge_events(warehouse, "entry", make_entry(1, None), make_entry(2, None))
    load(warehouse, make_member_fact())
    merge_events(warehouse, "entry", make_event("entry", 1, "2024-07-01", "D"))
    assert load(warehouse, make_member_fact()) == WriteCounts(deleted=1)
    assert read_rows(warehouse, "fact_entry", "entity_key") == [("desk:2",)]


def test_a_day_outside_of_the_calendar_is_an_error_and_told():
    warehouse, events = open_warehouse(), list[Event]()
    table = make_fact(lookups={"day": {"dimension": "date", "on": "started_at", "strategy": "direct"}})
    merge_events(
        warehouse, "entry", make_entry(1, "2024-02-29T13:00"), make_entry(2, "2031-01-01"), make_entry(3, None)
    )
    load(warehouse, table, listen=events.append)
    assert read_rows(warehouse, "fact_entry", "entry_id", "day_key") == [(1, 20240229), (2, -3), (3, -1)]
    (finding,) = events
    assert isinstance(finding, FindingMade)
    assert (finding.finding.finding, finding.finding.count) == ("date_out_of_range", 1)
    assert finding.finding.detail == "`day` is outside of the span of `date`; e.g. desk:2"


def test_a_value_finds_its_enum_member_and_one_never_seen_is_inferred_with_its_attributes():
    warehouse = open_warehouse()
    table = make_fact(
        lookups={"option": {"dimension": "option", "on": "coalesce(option, 'None')", "strategy": "direct"}}
    )
    merge_events(warehouse, "entry", make_entry(1, None, option="Billable"), make_entry(2, None))
    load(warehouse, table)
    select = (
        "SELECT f.entry_id, d.value, d.category, d.is_inferred FROM gold.fact_entry AS f "
        "JOIN gold.dim_option AS d USING (option_key) ORDER BY 1"
    )
    assert warehouse.rows(select) == [(1, "Billable", "Billable", False), (2, "None", "NonBillable", True)]
    assert load(warehouse, table, rebuild=True).rows == 0


def test_a_fact_over_periods_has_a_row_a_month_up_to_the_month_of_the_newest_batch():
    warehouse = open_warehouse()
    merge_events(
        warehouse,
        "agreement",
        make_event(
            "agreement", 1, "2024-01-01", starts_on=date(2023, 11, 20), ends_on=date(2024, 1, 1), amount=5, batch="b2"
        ),
        make_event("agreement", 2, "2024-01-01", starts_on=date(2024, 1, 31), amount=7, batch="b2"),
    )
    build_star(warehouse)
    assert read_rows(warehouse, "fact_agreement_period", "agreement_id", "period_start", "period_end") == [
        (1, "2023-11-01", "2023-11-30"),
        (1, "2023-12-01", "2023-12-31"),
        (1, "2024-01-01", "2024-01-31"),
        (2, "2024-01-01", "2024-01-31"),
        (2, "2024-02-01", "2024-02-29"),
    ]
    merge_events(warehouse, "company", make_event("company", 1, "2024-01-01", batch="b4"))
    build_star(warehouse)
    starts = read_rows(warehouse, "fact_agreement_period", "period_start", where="agreement_id = 2")
    assert [start for (start,) in starts] == ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"]
    assert build_star(warehouse).rows == 0


def test_a_row_that_spans_no_month_is_told():
    warehouse, events = open_warehouse(), list[Event]()
    merge_events(
        warehouse,
        "agreement",
        make_event("agreement", 1, "2024-01-01"),
        make_event("agreement", 2, "2024-01-01", starts_on=date(2024, 1, 1)),
    )
    build_star(warehouse, listen=events.append)
    (finding,) = (event.finding for event in events if isinstance(event, FindingMade))
    assert (finding.table, finding.finding, finding.count) == ("gold.fact_agreement_period", "missing_period", 1)
    assert finding.detail.endswith("; e.g. desk:1")


def test_rows_that_share_their_grain_stop_the_load_and_an_example_is_named():
    warehouse, table = open_warehouse(), make_fact(grain=["member_id"])
    merge_events(warehouse, "entry", make_entry(1, None, member_id=7))
    load(warehouse, table)
    merge_events(warehouse, "entry", make_entry(2, None, member_id=7))
    with pytest.raises(DeclarationError) as caught:
        load(warehouse, table)
    assert "member_id = 7" in caught.value.details
    assert "desk:1 and desk:2" in caught.value.details
    assert "grain [member_id]" in caught.value.where
    assert read_rows(warehouse, "fact_entry", "entity_key") == [("desk:1",)]


def test_an_empty_grain_is_shared_like_any_other():
    warehouse, table = open_warehouse(), make_fact(grain=["member_id", "approver_id"])
    merge_events(warehouse, "entry", make_entry(1, None, member_id=7), make_entry(2, None, approver_id=7))
    load(warehouse, table)
    merge_events(warehouse, "entry", make_entry(3, None, member_id=7), make_entry(4, None, member_id=8, approver_id=7))
    with pytest.raises(DeclarationError) as caught:
        load(warehouse, table)
    assert "member_id = 7, approver_id = None" in caught.value.details
    assert "desk:1 and desk:3" in caught.value.details


def test_two_connections_may_have_the_same_ids():
    warehouse = open_warehouse()
    ours = make_entry(1, None, member_id=1)
    merge_events(warehouse, "entry", ours, type(ours)(**{**vars(ours), "key": "other:1"}))
    merge_events(warehouse, "member", make_event("member", 1, "2024-01-01", cost=1))
    load(warehouse, make_member_fact())
    select = "SELECT f.entity_key, d.entity_key FROM gold.fact_entry AS f JOIN gold.dim_member AS d USING (member_key) ORDER BY 1"
    assert warehouse.rows(select) == [("desk:1", "desk:1"), ("other:1", "other:1")]


def test_load_metadata_is_that_of_the_source_row():
    warehouse = open_warehouse()
    merge_events(warehouse, "entry", make_entry(1, None))
    load(warehouse, make_member_fact())
    assert read_rows(warehouse, "fact_entry", "loaded_at", "batch_id", "source") == [
        ("2024-01-01", "b1-entry", "shop.entrys")
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (make_fact(measures={"a": "b", "b": "a"}), "refers to itself"),
        (make_fact(measures={"a": "nothing"}), "no column `nothing`"),
        (make_fact(measures={"a": "hours"}, types={"a": "number"}), "type of `a`"),
        (make_member_fact(on=["member_id", "company_id"]), "2 values for a key of 1"),
        (make_fact(lookups={"member": {"dimension": "member", "on": "member.cost"}}), "depends on itself"),
        (make_fact(lookups={"member": {"dimension": "nobody", "on": "member_id"}}), "There is no dimension `nobody`"),
    ],
)
def test_what_cannot_be_meant_is_refused(table, message):
    with pytest.raises(DeclarationError, match=message):
        load(open_warehouse(), table)


def test_a_fact_is_not_half_loaded_when_it_fails():
    warehouse = open_warehouse()
    merge_events(warehouse, "entry", make_entry(1, None, member_id=7), make_entry(2, None, member_id=7))
    with pytest.raises(DeclarationError):
        load(warehouse, make_fact(grain=["member_id"], lookups=dict(ENTRY.lookups)))
    assert read_rows(warehouse, "dim_member", "entity_key", where="is_inferred") == []
    assert warehouse.describe("gold", "fact_entry") is None
