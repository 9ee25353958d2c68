"""A past day on every engine: by the question that `as-of` asks, and by the function that stands beside a table."""

from __future__ import annotations

import pytest

from headwater.clock import parse_instant, to_micros
from headwater.silver.schema.migrate import drop_entity, migrate_tables
from headwater.warehouse.as_of import select_rows_at
from tests.silver.builders import THING, make_event, merge_events, open_on_engine


@pytest.fixture
def warehouse(engine):
    warehouse = open_on_engine(engine)
    days = [to_micros(parse_instant(day)) for day in ("2026-01-01", "2026-02-01T00:00:00.000001", "2026-03-01")]
    merge_events(
        warehouse,
        [
            make_event("p:1", days[0], name="a", size=1, note="n"),
            make_event("p:1", days[1], name="it's", size=1, note="n"),
            make_event("p:1", days[2], "D"),
            make_event("p:2", days[2], name="b", size=None, note=""),
        ],
    )
    return warehouse


PAST = [
    ("2025-12-31T23:59:59.999999", []),
    ("2026-01-01", ["a"]),
    ("2026-02-01", ["a"]),
    ("2026-02-01T00:00:00.000001", ["it's"]),
    ("2026-03-01", ["b"]),
    ("9000-01-01", ["b"]),
]


@pytest.mark.parametrize(("day", "names"), PAST)
def test_the_rows_of_a_day_are_those_that_were_valid(warehouse, day, names):
    question = select_rows_at(warehouse, "silver", "thing", columns=("name",), instant=parse_instant(day))
    assert warehouse.answer_arrow(question).to_pydict() == {"name": names}


def test_a_question_may_be_narrowed(warehouse):
    day = parse_instant("2026-02-02")
    name = r"'it\'s'" if warehouse.capabilities.dialect.name == "spark" else "'it''s'"  # it is the engine's own SQL
    for where, rows in ((f"name = {name} OR FALSE", ["p:1"]), ("size IS NULL", []), ("lower(name) like 'IT%'", [])):
        question = select_rows_at(
            warehouse, "silver", "thing", columns=("entity_key",), instant=day, where=where, limit=5
        )
        assert warehouse.answer_arrow(question).to_pydict() == {"entity_key": rows}
    nothing = select_rows_at(warehouse, "silver", "thing", columns=("entity_key",), instant=day, limit=0)
    assert warehouse.answer_arrow(nothing).num_rows == 0


@pytest.mark.parametrize(("day", "names"), PAST)
def test_plain_sql_asks_the_same(warehouse, day, names):
    rows = warehouse.answer_arrow(f"SELECT name FROM silver.thing_asof(TIMESTAMP '{day.replace('T', ' ')}') AS past")
    assert rows.to_pydict() == {"name": names}


def test_the_function_is_no_table_and_comes_and_goes_with_it(warehouse):
    assert warehouse.tables("silver") == ("thing", "thing_current", "thing_log")
    wider = THING.model_copy(
        update={"columns": {**THING.columns, "colour": THING.columns["name"]}, "on_schema_change": "from_now"}
    )
    migrate_tables(warehouse, wider)
    rows = warehouse.answer_arrow("SELECT * FROM silver.thing_asof(TIMESTAMP '2026-01-05 00:00:00') AS past")
    assert "colour" in rows.column_names
    drop_entity(warehouse, wider)
    assert warehouse.tables("silver") == ()
    migrate_tables(warehouse, THING)
