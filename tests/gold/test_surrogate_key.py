"""Surrogate keys: narrow enough for a double, exchanged everywhere at once when they are made otherwise, never given twice."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import pytest

from headwater.errors import SafetyCheckError
from headwater.events import FindingMade
from headwater.gold.change_feed import reset_progress
from headwater.gold.dimension.rekey import find_counted_tables, find_outdated
from headwater.gold.star import Star
from headwater.names import quote_literal
from headwater.temporal.keys import hash53_sql, hash60_sql
from headwater.warehouse.base import Table, TableColumn
from tests.gold.builders import (
    STAR,
    build_star,
    build_table,
    make_event,
    merge_events,
    open_warehouse,
    read_rows,
    read_star,
)

pytestmark = pytest.mark.usefixtures("on_each_engine")

REAL = "member_key >= 0"
MEMBER = STAR.declarations.dimensions["member"]
ON = datetime.fromisoformat


def set_surrogate(surrogate):
    """The firm's star with the project's choice of keys. `worker` chooses by itself."""
    return Star(declarations=STAR.declarations.with_default(None, surrogate), settings=STAR.settings)


def build_and_list_findings(warehouse, star=STAR):
    """All of gold brought up to date; what was found about keys."""
    events = []
    build_star(warehouse, star, listen=events.append)
    return [one.finding for one in events if isinstance(one, FindingMade) and one.finding.finding == "keys_rebuilt"]


def merge_members_and_work():
    """Two members, one of whom changed, one whom only work knows of, and their work."""
    warehouse = open_warehouse("member", "entry")
    merge_events(
        warehouse,
        "member",
        make_event("member", 1, "2024-01-01", name="Ann", cost=10),
        make_event("member", 2, "2024-01-01"),
    )
    merge_events(warehouse, "member", make_event("member", 1, "2024-03-01", name="Ann", cost=12, batch="b2"))
    work = [(1, 1, "2024-01-05"), (2, 1, "2024-03-05"), (3, 2, "2024-01-06"), (4, 9, "2024-01-07")]
    values = {"hours": 1, "rate": 100, "option": "Billable"}
    merge_events(
        warehouse,
        "entry",
        *(make_event("entry", key, day, member_id=who, started_at=ON(day), **values) for key, who, day in work),
    )
    return warehouse


def read_targets(warehouse):
    """Whom each piece of work points at, by way of its keys."""
    return [
        tuple(row)
        for row in warehouse.rows(
            "SELECT f.entry_id, d.entity_key, CAST(d.cost AS INTEGER) AS cost, o.value, w.entity_key AS worker "
            "FROM gold.fact_entry AS f LEFT JOIN gold.dim_member AS d ON d.member_key = f.member_key "
            "LEFT JOIN gold.dim_option AS o ON o.option_key = f.option_key "
            "LEFT JOIN gold.dim_worker AS w ON w.worker_key = f.worker_key ORDER BY f.entry_id"
        )
    ]


TARGETS = [
    (1, "desk:1", 10, "Billable", "desk:1"),
    (2, "desk:1", 12, "Billable", "desk:1"),
    (3, "desk:2", None, "Billable", "desk:2"),
    (4, "desk:9", None, "Billable", "desk:9"),
]


def widen_keys(warehouse):
    """Gold as it was once made: keys of 60 bits in dimension and facts, and nothing noted of how they are made."""
    for dimension, columns in {"member": ("member", "approver"), "option": ("option",)}.items():
        for number, entity_key, start in warehouse.rows(
            f"SELECT {dimension}_key, entity_key, CASE WHEN ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from) "
            f"= 1 THEN 'first' ELSE CAST(EPOCH_US(valid_from) AS VARCHAR) END AS start FROM gold.dim_{dimension} "
            f"WHERE {dimension}_key >= 0"
        ):
            wide = warehouse.rows(f"SELECT {hash60_sql(quote_literal(f'{start}|{entity_key}'))} AS wide")[0][0]
            assert wide % 2**53 == number
            for table, column in [(f"dim_{dimension}", dimension), *(("fact_entry", name) for name in columns)]:
                warehouse.update("gold", table, {f"{column}_key": str(wide)}, f"{column}_key = {number}")
    warehouse.delete("meta", "consumer_offset", "entity = '@keys'")
    warehouse.update(
        "meta", "consumer_offset", {"change_id": "change_id + 1"}, "entity = '@definition' AND consumer LIKE 'dim_%'"
    )


def test_a_key_is_the_lower_53_bits_of_what_it_once_was_the_same_on_every_engine():
    warehouse = open_warehouse("member")
    texts = ["first|desk:1", "first|desk:ÞÓR", "1709251200000000|desk:1"]
    keys = [warehouse.rows(f"SELECT {hash53_sql(quote_literal(text))} AS k")[0][0] for text in texts]
    assert keys == [int(hashlib.md5(text.encode()).hexdigest()[:15], 16) % 2**53 for text in texts]
    assert all(0 <= key < 2**53 for key in keys)


def test_gold_of_wide_keys_is_narrowed_in_dimension_and_facts_at_once_and_said_so():
    warehouse = merge_members_and_work()
    build_star(warehouse)
    assert read_targets(warehouse) == TARGETS
    before = read_star(warehouse)
    widen_keys(warehouse)
    assert read_targets(warehouse) == TARGETS
    assert max(key for (key,) in read_rows(warehouse, "dim_member", "member_key")) >= 2**53
    built = frozenset({"gold.dim_member", "gold.dim_option", "gold.dim_worker", "gold.dim_date"})
    dimensions = STAR.declarations.dimensions.values()
    assert find_outdated(warehouse, dimensions, built) == built - {"gold.dim_date"}
    findings = build_and_list_findings(warehouse)
    assert [(one.table, one.count) for one in findings] == [("gold.dim_member", 4), ("gold.dim_option", 1)]
    assert "fact_entry" in findings[0].detail
    assert read_star(warehouse) == before
    assert find_outdated(warehouse, dimensions, built) == frozenset()
    assert build_and_list_findings(warehouse) == []


def test_a_fact_that_is_loaded_alone_narrows_the_dimensions_it_points_at():
    warehouse = merge_members_and_work()
    build_star(warehouse)
    before = read_star(warehouse)
    widen_keys(warehouse)
    merge_events(warehouse, "entry", make_event("entry", 5, "2024-01-08", member_id=77, started_at=ON("2024-01-08")))
    build_table(warehouse, STAR, STAR.declarations.facts["entry"])
    keys = read_rows(warehouse, "dim_member", "member_key", "entity_key", where=REAL)
    assert {key for key, _ in keys} >= {row[0] for row in before["dim_member"] if row[0] >= 0}
    assert all(key < 2**53 for key, _ in keys)
    assert read_targets(warehouse)[:4] == TARGETS


def test_a_run_that_dies_between_dimension_and_fact_leaves_keys_of_one_kind():
    warehouse = merge_members_and_work()
    build_star(warehouse)
    widen_keys(warehouse)
    build_table(warehouse, STAR, MEMBER)  # and nothing after it
    assert read_targets(warehouse) == TARGETS
    assert all(key < 2**53 for (key,) in read_rows(warehouse, "fact_entry", "member_key"))


def test_a_project_counts_its_keys_and_a_dimension_may_differ():
    warehouse = merge_members_and_work()
    build_star(warehouse, set_surrogate("sequence"))
    assert read_rows(warehouse, "dim_member", "member_key", "entity_key", "is_inferred", where=REAL) == [
        (1, "desk:1", False),
        (2, "desk:2", False),
        (3, "desk:1", False),
        (4, "desk:9", True),
    ]
    assert read_rows(warehouse, "dim_option", "option_key", "value", where="option_key >= 0") == [(1, "Billable")]
    assert read_targets(warehouse) == TARGETS
    merge_events(warehouse, "member", make_event("member", 9, "2023-05-01", name="Ny", batch="b3"))
    build_star(warehouse, set_surrogate("sequence"))
    assert read_rows(warehouse, "dim_member", "member_key", "name", "is_inferred", where="entity_key = 'desk:9'") == [
        (4, "Ny", False)
    ]
    again = read_star(warehouse)
    assert build_star(warehouse, set_surrogate("sequence")).rows == 0
    assert read_star(warehouse) == again
    mixed = STAR.declarations.model_copy(
        update={
            "dimensions": {**STAR.declarations.dimensions, "member": MEMBER.model_copy(update={"surrogate": "hash"})}
        }
    ).with_default(None, "sequence")
    assert (mixed.dimensions["member"].surrogate, mixed.dimensions["option"].surrogate) == ("hash", "sequence")


def test_keys_that_are_counted_from_now_on_are_exchanged_everywhere_and_so_are_those_no_more():
    warehouse = merge_members_and_work()
    build_star(warehouse)
    hashed = read_star(warehouse)
    findings = build_and_list_findings(warehouse, set_surrogate("sequence"))
    assert {one.table for one in findings} == {"gold.dim_member", "gold.dim_option"}
    assert [key for (key,) in read_rows(warehouse, "dim_member", "member_key", where=REAL)] == [1, 2, 3, 4]
    assert read_targets(warehouse) == TARGETS
    assert {one.table for one in build_and_list_findings(warehouse)} == {"gold.dim_member", "gold.dim_option"}
    assert read_star(warehouse) == hashed


def test_a_rebuild_keeps_numbers_and_a_number_that_went_is_not_given_again():
    warehouse, star = merge_members_and_work(), set_surrogate("sequence")
    build_star(warehouse, star)
    before = read_star(warehouse)
    build_star(warehouse, star, rebuild=True)
    assert read_star(warehouse) == before
    # The work of the one whom nobody knows becomes another's: the inferred member goes, and so does the number 4.
    merge_events(
        warehouse, "entry", make_event("entry", 4, "2024-02-07", member_id=2, started_at=ON("2024-01-07"), batch="b2")
    )
    build_star(warehouse, star)
    assert read_rows(warehouse, "dim_member", "member_key", where="is_inferred") == []
    merge_events(warehouse, "member", make_event("member", 8, "2024-04-01", batch="b3"))
    build_star(warehouse, star)
    assert read_rows(warehouse, "dim_member", "member_key", where="entity_key = 'desk:8'") == [(5,)]


def test_what_a_rebuild_leaves_gets_its_numbers_back_even_where_a_type_is_another_one():
    warehouse, star = merge_members_and_work(), set_surrogate("sequence")
    build_star(warehouse, star)
    before = read_star(warehouse)
    counts = find_counted_tables(warehouse, star.declarations.dimensions.values())
    assert {"dim_member", "dim_option", "dim_worker"} <= counts
    for name in warehouse.tables("gold"):
        if name not in counts:
            warehouse.drop("gold", name)
    warehouse.drop_columns("gold", "dim_member", ["cost"])
    table = Table(
        layer="gold", name="dim_member", key=("entity_key",), columns=(TableColumn(name="cost", dtype="date"),)
    )
    warehouse.ensure(table)
    reset_progress(warehouse)
    assert build_and_list_findings(warehouse, star) == []
    after = read_star(warehouse)
    assert {name: len(rows) for name, rows in after.items()} == {name: len(rows) for name, rows in before.items()}
    assert after["fact_entry"] == before["fact_entry"]
    assert after["dim_worker"] == before["dim_worker"]
    assert read_targets(warehouse) == TARGETS


def test_a_collision_while_narrowing_stops_and_leaves_all_as_it_was(monkeypatch):
    warehouse = merge_members_and_work()
    build_star(warehouse)
    widen_keys(warehouse)
    before = read_star(warehouse)
    monkeypatch.setattr("headwater.gold.dimension.rekey.surrogate_key_sql", lambda *_: "CAST(7 AS BIGINT)")
    with pytest.raises(SafetyCheckError) as caught:
        build_table(warehouse, STAR, MEMBER)
    assert caught.value.details.startswith("key 7 of desk:1 and desk:")
    assert read_star(warehouse) == before
    assert "sequence" in caught.value.hint
    build_star(warehouse, set_surrogate("sequence"))
    assert [key for (key,) in read_rows(warehouse, "dim_member", "member_key", where=REAL)] == [1, 2, 3, 4]
    assert read_targets(warehouse) == TARGETS


def test_all_keys_survive_a_double():
    warehouse = merge_members_and_work()
    build_star(warehouse)
    for name, key in (("dim_member", "member_key"), ("dim_option", "option_key"), ("fact_entry", "member_key")):
        for (number,) in read_rows(warehouse, name, key):
            assert int(float(number)) == number
            assert json.loads(json.dumps(number), parse_int=float) == number
