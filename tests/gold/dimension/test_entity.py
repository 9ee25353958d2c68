"""Dimensions of entities: what a change does to members, keys and what is joined."""

from __future__ import annotations

import pytest

from headwater.errors import DeclarationError, SafetyCheckError
from headwater.events import Event, FindingMade
from headwater.gold.change_feed import drop_table, prune_changes
from headwater.gold.dimension import build as building
from headwater.gold.dimension.build import build_dimension
from headwater.model.dimension import EntityDimension
from headwater.temporal import keys
from headwater.warehouse.base import Warehouse
from headwater.warehouse.spark.engine import Spark
from tests.gold.builders import STAR, make_event, make_star, merge_events, open_warehouse, read_rows

pytestmark = pytest.mark.usefixtures("on_each_engine")

COMPANY = STAR.declarations.dimensions["company"]
REAL = "company_key > 0"


def make_dimension(**attributes: object) -> EntityDimension:
    return EntityDimension.model_validate({"dimension": "company", "entity": "company", "attributes": attributes})


def build(warehouse: Warehouse, dimension: EntityDimension) -> Warehouse:
    build_dimension(warehouse, make_star(dimension), dimension)
    return warehouse


def merge_moves(warehouse: Warehouse) -> Warehouse:
    merge_events(
        warehouse,
        "company",
        make_event("company", 1, "2024-01-01", name="Old", segment="small"),
        make_event("company", 1, "2024-02-01", name="New", segment="small"),
        make_event("company", 1, "2024-03-01", name="New", segment="large", batch="b3"),
    )
    return warehouse


def test_T2_makes_versions_T1_stands_everywhere_and_T0_for_ever():
    dimension = make_dimension(segment="T2", name="T1", first={"history": "T0", "value": "segment"})
    warehouse = build(merge_moves(open_warehouse("company", "address")), dimension)
    rows = read_rows(
        warehouse, "dim_company", "segment", "name", "first", "valid_from", "valid_to", "is_current", where=REAL
    )
    assert rows == [
        ("large", "New", "small", "2024-03-01", "9999-12-31", True),
        ("small", "New", "small", "2024-01-01", "2024-03-01", False),
    ]


def test_versions_of_silver_that_agree_in_what_is_T2_are_one():
    warehouse = build(merge_moves(open_warehouse("company", "address")), make_dimension(name="T1"))
    assert read_rows(warehouse, "dim_company", "valid_from", "valid_to", where=REAL) == [("2024-01-01", "9999-12-31")]


def test_a_gap_of_a_delete_stays_a_gap():
    warehouse = open_warehouse("company", "address")
    merge_events(
        warehouse,
        "company",
        make_event("company", 1, "2024-01-01", segment="a"),
        make_event("company", 1, "2024-02-01", "D"),
        make_event("company", 1, "2024-03-01", segment="a"),
    )
    build(warehouse, make_dimension(segment="T2"))
    rows = read_rows(warehouse, "dim_company", "valid_from", "valid_to", "is_current", where=REAL)
    assert rows == [("2024-01-01", "2024-02-01", False), ("2024-03-01", "9999-12-31", True)]


def test_a_closed_member_is_not_current():
    warehouse = open_warehouse("company", "address")
    merge_events(
        warehouse, "company", make_event("company", 1, "2024-01-01"), make_event("company", 1, "2024-02-01", "D")
    )
    build(warehouse, make_dimension(segment="T2"))
    assert read_rows(warehouse, "dim_company", "valid_to", "is_current", where=REAL) == [("2024-02-01", False)]


def test_reserved_members_say_what_they_are():
    warehouse = build(open_warehouse("company", "address"), make_dimension(segment="T2", company_id="T1"))
    rows = read_rows(
        warehouse, "dim_company", "company_key", "entity_key", "segment", "company_id", "valid_from", "is_current"
    )
    assert rows == [
        (-3, None, "Error", None, "1970-01-01", True),
        (-2, None, "Not applicable", None, "1970-01-01", True),
        (-1, None, "Unknown", None, "1970-01-01", True),
    ]


def test_an_attribute_may_be_an_expression_and_load_metadata_is_the_batch_of_the_version():
    dimension = make_dimension(label={"history": "T2", "value": "upper(name) || '/' || segment"})
    warehouse = build(merge_moves(open_warehouse("company", "address")), dimension)
    assert read_rows(warehouse, "dim_company", "label", "loaded_at", "batch_id", "source", where=REAL) == [
        ("NEW/large", "2024-03-01", "b3-company", "shop.companys"),
        ("NEW/small", "2024-01-01", "b1-company", "shop.companys"),
        ("OLD/small", "2024-01-01", "b1-company", "shop.companys"),
    ]


def test_the_key_of_a_member_hangs_on_its_entity_key_and_the_start_of_its_version():
    warehouse = build(merge_moves(open_warehouse("company", "address")), make_dimension(segment="T2"))
    first = warehouse.rows(f"SELECT {keys.hash53_sql(repr('first|desk:1'))}")[0][0]
    stored = dict(read_rows(warehouse, "dim_company", "valid_from", "company_key", where=REAL))
    assert stored["2024-01-01"] == first
    # Earlier news: what begins first now has the first key, and the former first gets that of its start.
    merge_events(warehouse, "company", make_event("company", 1, "2023-12-01", segment="tiny"))
    build(warehouse, make_dimension(segment="T2"))
    later = dict(read_rows(warehouse, "dim_company", "valid_from", "company_key", where=REAL))
    assert later["2023-12-01"] == first
    assert later["2024-03-01"] == stored["2024-03-01"]
    assert len(set(later.values())) == 3


def test_a_collision_of_keys_stops_the_load_and_writes_nothing(monkeypatch):
    warehouse = open_warehouse("company", "address")
    merge_events(warehouse, "company", *(make_event("company", number, "2024-01-01") for number in range(1, 9)))
    monkeypatch.setattr("headwater.gold.dimension.entity.surrogate_key_sql", lambda *_: "CAST(7 AS BIGINT)")
    with pytest.raises(SafetyCheckError) as caught:
        build(warehouse, make_dimension(segment="T2"))
    # An engine that keeps keys by itself names the key; elsewhere we look, and name the members as well.
    assert (
        "(7)" if warehouse.capabilities.dialect.name == "postgres" else "key 7 of desk:1 and desk:8"
    ) in caught.value.details
    assert "sequence" in caught.value.hint
    assert warehouse.describe("gold", "dim_company") is None


def test_keys_in_sequence_are_numbered_by_arrival_and_kept():
    dimension = make_dimension(segment="T2").model_copy(update={"surrogate": "sequence"})
    warehouse = open_warehouse("company", "address")
    merge_events(
        warehouse, "company", make_event("company", 5, "2024-01-02"), make_event("company", 3, "2024-01-01", batch="b2")
    )
    build(warehouse, dimension)
    assert read_rows(warehouse, "dim_company", "company_key", "entity_key", where=REAL) == [
        (1, "desk:5"),
        (2, "desk:3"),
    ]
    merge_events(
        warehouse,
        "company",
        make_event("company", 5, "2024-02-02", segment="x"),
        make_event("company", 5, "2023-02-02", segment="y"),
    )
    build(warehouse, dimension)
    assert read_rows(warehouse, "dim_company", "company_key", "entity_key", "valid_from", where=REAL) == [
        (1, "desk:5", "2023-02-02"),
        (2, "desk:3", "2024-01-01"),
        (3, "desk:5", "2024-01-02"),
        (4, "desk:5", "2024-02-02"),
    ]


def test_a_joined_entity_cuts_the_members_life_where_it_changes():
    warehouse = open_warehouse("company", "address")
    merge_events(
        warehouse,
        "company",
        make_event("company", 1, "2024-01-01", segment="s"),
        make_event("company", 1, "2024-05-01", "D"),
    )
    merge_events(
        warehouse,
        "address",
        make_event("address", 9, "2024-02-01", company_id=1, city="Reykjavik", phone="1"),
        make_event("address", 9, "2024-03-01", company_id=1, city="Akureyri", phone="2"),
        make_event("address", 9, "2024-04-01", company_id=2, city="Akureyri", phone="3"),
    )
    build(warehouse, COMPANY)
    assert read_rows(warehouse, "dim_company", "valid_from", "valid_to", "city", "phone", where=REAL) == [
        ("2024-01-01", "2024-02-01", None, None),
        ("2024-02-01", "2024-03-01", "Reykjavik", None),
        ("2024-03-01", "2024-04-01", "Akureyri", None),
        ("2024-04-01", "2024-05-01", None, None),
    ]


def test_of_several_joined_rows_the_newest_counts_then_the_greatest_key():
    warehouse = open_warehouse("company", "address")
    merge_events(warehouse, "company", make_event("company", 1, "2024-01-01"))
    merge_events(
        warehouse,
        "address",
        make_event("address", 1, "2024-01-01", company_id=1, city="one"),
        make_event("address", 2, "2024-01-01", company_id=1, city="two"),
        make_event("address", 3, "2024-02-01", company_id=1, city="three"),
        make_event("address", 3, "2024-03-01", "D"),
    )
    build(warehouse, COMPANY)
    rows = read_rows(warehouse, "dim_company", "valid_from", "city", where=REAL)
    assert rows == [("2024-01-01", "two"), ("2024-02-01", "three"), ("2024-03-01", "two")]


def test_what_a_joined_row_no_longer_says_is_taken_back():
    warehouse = open_warehouse("company", "address")
    merge_events(warehouse, "company", make_event("company", 1, "2024-01-01"), make_event("company", 2, "2024-01-01"))
    events = [make_event("address", 9, "2024-02-01", company_id=number, city="x") for number in (1, 2)]
    early, late = sorted(events, key=lambda event: event.hash)
    merge_events(warehouse, "address", early)
    build(warehouse, COMPANY)
    # Of two events at one instant one hides the other for ever: no version tells of the first any more.
    merge_events(warehouse, "address", late)
    build(warehouse, COMPANY)
    rows = read_rows(warehouse, "dim_company", "company_id", where="city = 'x'")
    assert rows == [(late.values["company_id"],)]


def test_a_value_is_inherited_from_the_nearest_ancestor_that_has_one_to_any_depth():
    warehouse = open_warehouse("company", "address")
    chain = [make_event("company", number, "2024-01-01", parent_id=number - 1) for number in range(2, 17)]
    merge_events(warehouse, "company", make_event("company", 1, "2024-01-01", number="A-1"), *chain)
    build(warehouse, COMPANY)
    assert {number for (number,) in read_rows(warehouse, "dim_company", "number", where=REAL)} == {"A-1"}
    merge_events(warehouse, "company", make_event("company", 9, "2024-02-01", number="B-2"))
    build(warehouse, COMPANY)
    rows = dict(read_rows(warehouse, "dim_company", "company_id", "number", where=REAL))
    assert {rows[number] for number in range(1, 9)} == {"A-1"}
    assert {rows[number] for number in range(9, 17)} == {"B-2"}


def test_a_circle_of_ancestors_is_reported_and_gives_nothing():
    warehouse, events = open_warehouse("company", "address"), list[Event]()
    merge_events(
        warehouse,
        "company",
        make_event("company", 1, "2024-01-01", parent_id=2),
        make_event("company", 2, "2024-01-01", parent_id=1),
        make_event("company", 3, "2024-01-01", parent_id=2),
        make_event("company", 4, "2024-01-01", parent_id=99),
    )
    build_dimension(warehouse, STAR, COMPANY, listen=events.append)
    assert read_rows(warehouse, "dim_company", "number", where=REAL) == [(None,)] * 4
    (finding,) = events
    assert isinstance(finding, FindingMade)
    assert (finding.finding.finding, finding.finding.count) == ("ancestor_cycle", 3)
    assert finding.finding.detail.endswith(": desk:1, desk:2, desk:3")


def test_a_build_touches_the_changed_members_only_and_a_replay_none():
    warehouse = open_warehouse("company", "address")
    merge_events(warehouse, "company", *(make_event("company", number, "2024-01-01") for number in range(1, 50)))
    assert build_dimension(warehouse, STAR, COMPANY).inserted == 49 + 3
    assert build_dimension(warehouse, STAR, COMPANY).rows == 0
    assert build_dimension(warehouse, STAR, COMPANY, rebuild=True).rows == 0
    merge_events(warehouse, "address", make_event("address", 1, "2024-02-01", company_id=7, city="x"))
    written = build_dimension(warehouse, STAR, COMPANY)
    assert (written.deleted, written.inserted) == (1, 2)


def test_a_dimension_that_is_declared_anew_is_built_anew():
    warehouse = build(merge_moves(open_warehouse("company", "address")), make_dimension(segment="T2"))
    build(warehouse, make_dimension(segment="T2", name="T1"))
    assert read_rows(warehouse, "dim_company", "segment", "name", where=REAL) == [("large", "New"), ("small", "New")]


def test_an_attribute_that_is_declared_no_more_goes():
    warehouse = build(merge_moves(open_warehouse("company", "address")), make_dimension(segment="T2", name="T1"))
    build(warehouse, make_dimension(segment="T2"))
    assert "name" not in [column.name for column in warehouse.describe("gold", "dim_company") or ()]
    assert (
        build_dimension(
            warehouse, make_star(make_dimension(segment="T2")), make_dimension(segment="T2"), rebuild=True
        ).rows
        == 0
    )


def test_nothing_stays_staged():
    warehouse = build(merge_moves(open_warehouse("company", "address")), COMPANY)
    if isinstance(warehouse, Spark):
        assert [name for name in warehouse._staged.rows if name.startswith("gold_")] == []
        return
    listed = r"SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'gold\_%' ESCAPE '\'"
    assert warehouse.rows(listed) == []


def test_changes_that_all_have_consumed_may_be_trimmed():
    warehouse = build(merge_moves(open_warehouse("company", "address")), make_dimension(segment="T2"))
    assert prune_changes(warehouse) == 1
    merge_events(warehouse, "company", make_event("company", 1, "2024-04-01", segment="huge"))
    build(warehouse, make_dimension(segment="T2"))
    assert len(read_rows(warehouse, "dim_company", "segment", where=REAL)) == 3
    merge_events(warehouse, "company", make_event("company", 1, "2024-05-01", segment="x"))
    assert prune_changes(warehouse) == 1
    assert build_dimension(warehouse, make_star(make_dimension(segment="T2")), make_dimension(segment="T2")).rows > 0


def test_a_dropped_table_is_forgotten():
    warehouse = build(merge_moves(open_warehouse("company", "address")), make_dimension(segment="T2"))
    drop_table(warehouse, "dim_company")
    assert warehouse.rows("SELECT * FROM meta.consumer_offset") == []
    build(warehouse, make_dimension(segment="T2"))
    assert len(read_rows(warehouse, "dim_company", "segment", where=REAL)) == 2


def test_a_table_that_was_dropped_is_built_again():
    warehouse = build(merge_moves(open_warehouse("company", "address")), make_dimension(segment="T2"))
    warehouse.drop("gold", "dim_company")
    build(warehouse, make_dimension(segment="T2"))
    assert len(read_rows(warehouse, "dim_company", "segment")) == 5


def test_a_name_that_gold_needs_itself_is_refused():
    with pytest.raises(DeclarationError, match="valid_from"):
        build(open_warehouse("company", "address"), make_dimension(valid_from={"history": "T1", "value": "name"}))


def test_table_of_says_which_columns_there_will_be():
    table = building.build_table(open_warehouse("company", "address"), STAR, COMPANY)
    assert [(column.name, column.dtype) for column in table.columns[:4]] == [
        ("company_key", "bigint"),
        ("entity_key", "text"),
        ("company_id", "bigint"),
        ("segment", "text"),
    ]
    assert table.names[-7:] == (
        "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source",
    )  # fmt: skip


def test_members_of_two_connections_never_mix():
    warehouse = open_warehouse("company", "address")
    merge_events(warehouse, "company", make_event("company", 1, "2024-01-01"))
    other = make_event("address", 1, "2024-01-01", company_id=1, city="elsewhere")
    merge_events(warehouse, "address", type(other)(**{**vars(other), "key": "other:1"}))
    build(warehouse, COMPANY)
    assert read_rows(warehouse, "dim_company", "city", where=REAL) == [(None,)]
