"""Columns that are added, renamed, widened or given up: history goes on from now, or is made anew, and it is said which."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from headwater.batch import Feed, Window, batch_of
from headwater.clock import EPOCH, micros
from headwater.errors import DeclarationError
from headwater.model.entity import Entity
from headwater.silver.conform import conform
from headwater.silver.reading import Arrival, Reading
from headwater.silver.ready import drop
from headwater.testing.drawn import drawn, mismatch

BEFORE = """
    | id | name | size | colour | changed    |
    | -- | ---- | ---- | ------ | ---------- |
    | 1  | old  | 5    | red    | 2026-01-01 |
    | 1  | new  | 5    | blue   | 2026-01-10 |
"""
AFTER = """
    | id | name | size | colour | changed    |
    | -- | ---- | ---- | ------ | ---------- |
    | 1  | new  | 5    | green  | 2026-02-01 |
"""


def thing(**columns: str) -> Entity:
    return Entity.model_validate(
        {"entity": "thing", "key": "id", "columns": {"id": "bigint", **columns}, "sources": {}}
    )


def reading(**columns: str) -> Reading:
    return Reading(source="shop.things", columns={"id": "id", **columns}, changed_at="changed")


@pytest.fixture
def warehouse(engine):
    return engine.open()


@pytest.fixture
def land(tmp_path):
    """Lands a drawn table as a batch that was read on a day of March."""

    def landed(table: str, day: int) -> Arrival:
        feed = Feed(tenant="acme", connection="psa", resource="things")
        batch = batch_of(feed, Window(since=EPOCH, until=datetime(2026, 3, day, tzinfo=UTC)))
        path = tmp_path / f"{batch.id}.parquet"
        with duckdb.connect() as duck:
            duck.execute("CREATE TABLE r (id BIGINT, name VARCHAR, size INTEGER, colour VARCHAR, changed VARCHAR)")
            duck.executemany("INSERT INTO r VALUES (?, ?, ?, ?, ?)", [list(row.values()) for row in drawn(table)])
            duck.execute(f"COPY r TO '{path}'")
        return Arrival(source="shop.things", batch=batch, files=(str(path),))

    return landed


def take(warehouse, entity, read, *arrivals):
    return conform(warehouse, entity, {"shop.things": read}, arrivals)


def day(instant):
    return "open" if instant.year == 9999 else f"{instant:%m-%d}"


def check(warehouse, picture):
    names = [name for name in drawn(picture)[0] if name not in {"from", "to"}]
    listed = ", ".join(f'"{name}"' for name in names)
    found = warehouse.rows(f"SELECT {listed}, valid_from, valid_to FROM silver.thing")
    rows = [
        dict(zip((*names, "from", "to"), (*row, day(since), day(until)), strict=True)) for *row, since, until in found
    ]
    assert mismatch(picture, rows) == "", mismatch(picture, rows)


NARROW, WIDE = thing(name="text"), thing(name="text", colour="text")
SMALL, WHOLE = reading(name="name"), reading(name="name", colour="colour")


def test_an_added_column_begins_now_and_that_is_told(warehouse, land):
    take(warehouse, NARROW, SMALL, land(BEFORE, 1))
    done = take(warehouse, WIDE, WHOLE, land(AFTER, 2))
    (told,) = done.findings
    assert (told.finding, told.count) == ("begins now", 1)
    assert told.detail == "thing.colour is new; `headwater rebuild --entity thing` brings in its past"
    check(
        warehouse,
        """
    | name | colour | from  | to    |
    | ---- | ------ | ----- | ----- |
    | old  | NULL   | 01-01 | 01-10 |
    | new  | NULL   | 01-10 | 02-01 |
    | new  | green  | 02-01 | open  |
    """,
    )
    assert take(warehouse, WIDE, WHOLE, land(AFTER, 2)).findings == ()


def test_a_rebuild_brings_in_the_past_of_an_added_column(warehouse, land):
    first, second = land(BEFORE, 1), land(AFTER, 2)
    take(warehouse, NARROW, SMALL, first)
    drop(warehouse, NARROW)
    assert take(warehouse, WIDE, WHOLE, first, second).findings == ()
    check(
        warehouse,
        """
    | name | colour | from  | to    |
    | ---- | ------ | ----- | ----- |
    | old  | red    | 01-01 | 01-10 |
    | new  | blue   | 01-10 | 02-01 |
    | new  | green  | 02-01 | open  |
    """,
    )


def test_a_column_is_never_dropped_silently(warehouse, land):
    take(warehouse, WIDE, WHOLE, land(BEFORE, 1))
    with pytest.raises(DeclarationError, match="column `colour` is no longer declared") as caught:
        take(warehouse, NARROW, SMALL, land(AFTER, 2))
    assert caught.value.hint == (
        "`headwater rebuild` makes the history anew from raw; or leave it under `columns:` and take it out of `map:`, "
        "and it keeps its last values from now on"
    )


def test_a_column_that_is_kept_and_read_no_more_keeps_its_last_value(warehouse, land):
    take(warehouse, WIDE, WHOLE, land(BEFORE, 1))
    later = AFTER.replace("new ", "next")
    take(warehouse, WIDE, SMALL, land(later, 2))
    check(
        warehouse,
        """
    | name | colour | from  | to    |
    | ---- | ------ | ----- | ----- |
    | old  | red    | 01-01 | 01-10 |
    | new  | blue   | 01-10 | 02-01 |
    | next | blue   | 02-01 | open  |
    """,
    )


def test_a_rebuild_without_a_column_joins_the_versions_that_it_alone_told_apart(warehouse, land):
    first, second = land(BEFORE, 1), land(AFTER, 2)
    take(warehouse, WIDE, WHOLE, first, second)
    drop(warehouse, WIDE)
    take(warehouse, NARROW, SMALL, first, second)
    check(
        warehouse,
        """
    | name | from  | to    |
    | ---- | ----- | ----- |
    | old  | 01-01 | 01-10 |
    | new  | 01-10 | open  |
    """,
    )


def test_a_renamed_column_may_go_on_beside_its_old_name(warehouse, land):
    renamed = thing(name="text", colour="text", shade="text")
    take(warehouse, WIDE, WHOLE, land(BEFORE, 1))
    done = take(warehouse, renamed, reading(name="name", shade="colour"), land(AFTER, 2))
    assert [finding.detail.split(" ")[0] for finding in done.findings] == ["thing.shade"]
    check(
        warehouse,
        """
    | name | colour | shade | from  | to    |
    | ---- | ------ | ----- | ----- | ----- |
    | old  | red    | NULL  | 01-01 | 01-10 |
    | new  | blue   | NULL  | 01-10 | 02-01 |
    | new  | blue   | green | 02-01 | open  |
    """,
    )


@pytest.mark.parametrize(
    ("before", "after"), [("integer", "bigint"), ("bigint", "double"), ("decimal(9,2)", "decimal(18,4)")]
)
def test_a_wider_type_makes_no_version_even_of_a_batch_that_is_taken_again(warehouse, land, before, after):
    first = land(BEFORE, 1)
    take(warehouse, thing(size=before), reading(size="size"), first)
    done = take(warehouse, thing(size=after), reading(size="size"), first, land(AFTER, 2))
    assert (done.deleted, done.inserted, done.findings) == (0, 0, ())
    size, since = warehouse.rows("SELECT size, valid_from FROM silver.thing")[0]
    assert (float(size), day(since)) == (5.0, "01-01")


def test_one_instant_in_two_time_zones_is_one_event_to_the_microsecond(warehouse, land):
    table = """
    | id | name | size | colour | changed                          |
    | -- | ---- | ---- | ------ | -------------------------------- |
    | 1  | old  | 5    | red    | 2026-01-01T23:30:00.000001-02:00 |
    | 1  | old  | 5    | red    | 2026-01-02T01:30:00.000001Z      |
    | 1  | old  | 5    | red    | 2026-01-02T07:00:00.000001+05:30 |
    | 1  | new  | 5    | red    | 2026-01-02T01:30:00.000002Z      |
    """
    done = take(warehouse, WIDE, WHOLE, land(table, 5))
    assert done.events == 2
    found = warehouse.rows("SELECT name, EPOCH_US(valid_from) FROM silver.thing ORDER BY version_number")
    instant = micros(datetime(2026, 1, 2, 1, 30, tzinfo=UTC))
    assert found == [("old", instant + 1), ("new", instant + 2)]


def test_keys_with_separators_in_their_values_are_things_of_their_own(warehouse, land):
    pair = Entity.model_validate(
        {
            "entity": "thing",
            "key": ["name", "colour"],
            "columns": {"name": "text", "colour": "text", "size": "bigint"},
            "sources": {},
        }
    )
    read = replace(reading(), columns={"name": "name", "colour": "colour", "size": "size"})
    table = """
    | id | name  | size | colour | changed    |
    | -- | ----- | ---- | ------ | ---------- |
    | 1  | a:b   | 1    | c      | 2026-01-01 |
    | 2  | a     | 2    | b:c    | 2026-01-01 |
    | 3  | a:b   | 3    | c      | 2026-01-05 |
    | 4  | ''    | 4    | c      | 2026-01-01 |
    """
    take(warehouse, pair, read, land(table, 5))
    check(
        warehouse,
        """
    | entity_key | size | from  | to    |
    | ---------- | ---- | ----- | ----- |
    | $bar       | 1    | 01-01 | 01-05 |
    | $bar       | 3    | 01-05 | open  |
    | $other     | 2    | 01-01 | open  |
    | $empty     | 4    | 01-01 | open  |
    """,
    )
    assert warehouse.rows("SELECT COUNT(DISTINCT entity_key) FROM silver.thing") == [(3,)]
