"""Enum dimensions: the distinct values of columns."""

from __future__ import annotations

import pytest

from headwater.gold.dimension.build import build_dimension
from headwater.model.dimension import EnumDimension
from headwater.warehouse.base import Warehouse, WriteCounts
from tests.gold.builders import make_event, make_star, merge_events, open_warehouse, read_rows

pytestmark = pytest.mark.usefixtures("on_each_engine")

WORDS = EnumDimension.model_validate(
    {
        "dimension": "word",
        "values_of": [{"entity": "entry", "column": "option"}, {"entity": "company", "column": "segment"}],
        "attributes": {"loud": "upper(value)", "size": "length(value)"},
    }
)


def build(warehouse: Warehouse) -> WriteCounts:
    return build_dimension(warehouse, make_star(WORDS), WORDS)


def test_members_are_the_values_that_the_columns_ever_had_once_each():
    warehouse = open_warehouse("entry", "company")
    merge_events(
        warehouse,
        "entry",
        make_event("entry", 1, "2024-01-01", option="a"),
        make_event("entry", 1, "2024-02-01", option="b"),
    )
    merge_events(
        warehouse,
        "entry",
        make_event("entry", 2, "2024-01-01", option=None),
        make_event("entry", 3, "2024-01-01", option=""),
    )
    merge_events(
        warehouse,
        "company",
        make_event("company", 1, "2024-01-01", segment="b"),
        make_event("company", 2, "2024-01-01", segment="c"),
    )
    build(warehouse)
    rows = read_rows(warehouse, "dim_word", "value", "loud", "size", "entity_key", "is_current", where="word_key > 0")
    assert rows == [
        ("", "", 0, "", True),
        ("a", "A", 1, "a", True),
        ("b", "B", 1, "b", True),
        ("c", "C", 1, "c", True),
    ]
    assert build(warehouse) == WriteCounts()


def test_a_new_value_adds_a_member_and_touches_no_other():
    warehouse = open_warehouse("entry", "company")
    merge_events(warehouse, "entry", make_event("entry", 1, "2024-01-01", option="a", batch="b2"))
    build(warehouse)
    before = read_rows(warehouse, "dim_word", "value", "word_key")
    merge_events(
        warehouse,
        "company",
        make_event("company", 1, "2024-01-01", segment="z"),
        make_event("company", 2, "2024-01-01", segment="a"),
    )
    assert build(warehouse) == WriteCounts(deleted=1, inserted=2)
    after = read_rows(warehouse, "dim_word", "value", "word_key")
    assert set(before) < set(after)
    # A value counts as loaded with the first batch that brought it.
    assert read_rows(warehouse, "dim_word", "value", "batch_id", "source", where="word_key > 0") == [
        ("a", "b1-company", "shop.companys"),
        ("z", "b1-company", "shop.companys"),
    ]


def test_a_value_that_late_news_unsaid_is_a_member_no_more():
    warehouse = open_warehouse("entry", "company")
    first = make_event("entry", 1, "2024-01-01", option="a")
    other = make_event("entry", 1, "2024-01-01", option="b")
    early, late = sorted((first, other), key=lambda event: event.hash)
    merge_events(warehouse, "entry", early)
    build(warehouse)
    merge_events(warehouse, "entry", late)
    build(warehouse)
    assert read_rows(warehouse, "dim_word", "value", where="word_key > 0") == [(late.values["option"],)]


def test_the_batch_that_brought_a_value_first_stays_while_a_row_of_it_has_the_value():
    warehouse = open_warehouse("entry", "company")
    merge_events(
        warehouse,
        "entry",
        make_event("entry", 1, "2024-01-01", option="a", batch="b2"),
        make_event("entry", 2, "2024-01-01", option="a", batch="b2"),
    )
    build(warehouse)
    merge_events(warehouse, "entry", make_event("entry", 1, "2024-02-01", option="b", batch="b3"))
    merge_events(warehouse, "entry", make_event("entry", 3, "2024-02-01", option="a", batch="b4"))
    build(warehouse)
    batches = read_rows(warehouse, "dim_word", "value", "batch_id", where="word_key > 0")
    assert batches == [("a", "b2-entry"), ("b", "b3-entry")]
    merge_events(warehouse, "company", make_event("company", 1, "2024-02-01", segment="a", batch="b1"))
    assert build(warehouse) == WriteCounts(deleted=1, inserted=1)
    batches = read_rows(warehouse, "dim_word", "value", "batch_id", where="word_key > 0")
    assert batches == [("a", "b1-company"), ("b", "b3-entry")]


def test_where_late_news_unsaid_the_first_row_of_a_value_the_next_batch_counts():
    warehouse = open_warehouse("entry", "company")
    first = make_event("entry", 1, "2024-01-01", option="a", batch="b2")
    other = make_event("entry", 1, "2024-01-01", option="b", batch="b2")
    early, late = sorted((first, other), key=lambda event: event.hash)
    value = early.values["option"]
    merge_events(warehouse, "entry", early, make_event("entry", 2, "2024-01-01", option=value, batch="b3"))
    build(warehouse)
    merge_events(warehouse, "entry", late)
    build(warehouse)
    batches = dict(read_rows(warehouse, "dim_word", "value", "batch_id", where="word_key > 0"))
    assert batches == {value: "b3-entry", late.values["option"]: "b2-entry"}
