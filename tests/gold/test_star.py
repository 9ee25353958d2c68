"""The star as a whole: what needs what, in which order it is built, and its SQL as people read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headwater.gold.explain import explain
from headwater.model.tables import list_dimensions, list_in_build_order, list_source_entities, name_table
from headwater.names import quote
from headwater.testing.golden import compare_golden
from tests.gold.builders import STAR, build_star, make_event, merge_events, open_warehouse, sort_rows

GOLDEN = Path(__file__).parents[1] / "golden" / "gold"
TABLES = {name_table(table): table for table in list_in_build_order(STAR.declarations)}


def test_a_table_needs_the_entities_that_its_rows_are_made_from():
    assert list_source_entities(TABLES["dim_company"]) == {"company", "address"}
    assert list_source_entities(TABLES["dim_option"]) == {"entry"}
    assert list_source_entities(TABLES["dim_date"]) == frozenset()
    assert list_source_entities(TABLES["fact_line"]) == {"entry", "product"}
    assert list_dimensions(STAR.declarations.facts["line"]) == ("company", "date")


def test_dimensions_come_before_the_facts_that_look_them_up():
    names = list(TABLES)
    for fact in STAR.declarations.facts.values():
        for dimension in list_dimensions(fact):
            assert names.index(f"dim_{dimension}") < names.index(f"fact_{fact.fact}")


@pytest.mark.golden
@pytest.mark.parametrize("name", TABLES)
def test_the_sql_of_a_table_is_what_it_was(name):
    text = explain(STAR, TABLES[name], lambda layer, table: f"{quote(layer)}.{quote(table)}")
    compare_golden(GOLDEN / f"{name}.sql", text.rstrip() + "\n")


@pytest.mark.usefixtures("on_each_engine")
def test_what_explain_shows_is_what_a_rebuild_writes():
    warehouse = open_warehouse()
    merge_events(
        warehouse,
        "company",
        make_event("company", 1, "2024-01-01", segment="a"),
        make_event("company", 1, "2024-02-01", segment="b"),
    )
    build_star(warehouse)
    shown = explain(STAR, TABLES["dim_company"], warehouse.ref)
    rows = warehouse.rows(f"SELECT * FROM ({shown}) AS shown")
    assert sort_rows(rows) == sort_rows(warehouse.rows("SELECT * FROM gold.dim_company WHERE company_key > 0"))


def test_no_two_names_of_ours_are_spelled_alike():
    assert all(re.fullmatch(r"(dim|fact)_[a-z_]+", name) for name in TABLES)
    assert len(TABLES) == len(list_in_build_order(STAR.declarations))
