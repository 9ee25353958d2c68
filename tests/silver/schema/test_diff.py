"""Columns that are added, renamed, widened or given up: history goes on from now, or is made anew, as the user chose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from headwater.batch import Feed, Window, create_batch
from headwater.clock import EPOCH, to_micros
from headwater.errors import DeclarationError
from headwater.model.entity import Entity
from headwater.silver.conform import conform
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.silver.schema.diff import check_decision, decide_schemas, diff_schema
from headwater.silver.schema.migrate import drop_entity, finish_rebuild
from headwater.silver.schema.snapshot import SchemaSnapshot
from headwater.silver.schema.tables import LOG_COLUMNS
from headwater.testing.tables import find_mismatch, parse_table

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


def make_thing(choice: str | None = None, **columns: object) -> Entity:
    columns = {"id": "bigint", **columns}
    return Entity.model_validate(
        {"entity": "thing", "key": "id", "columns": columns, "sources": {}, "on_schema_change": choice}
    )


def make_mapping(**columns: str) -> SourceMapping:
    return SourceMapping(source="shop.things", columns={"id": "id", **columns}, changed_at="changed")


@pytest.fixture
def warehouse(engine):
    return engine.open()


@pytest.fixture
def land(tmp_path):
    """Lands a drawn table as a batch that was read on a day of March."""

    def land_table(table: str, day: int) -> LandedBatch:
        feed = Feed(tenant="acme", connection="psa", resource="things")
        batch = create_batch(feed, Window(since=EPOCH, until=datetime(2026, 3, day, tzinfo=UTC)))
        path = tmp_path / f"{batch.id}.parquet"
        with duckdb.connect() as duck:
            duck.execute("CREATE TABLE r (id BIGINT, name VARCHAR, size INTEGER, colour VARCHAR, changed VARCHAR)")
            duck.executemany("INSERT INTO r VALUES (?, ?, ?, ?, ?)", [list(row.values()) for row in parse_table(table)])
            duck.execute(f"COPY (SELECT *, row_number() OVER () AS _line FROM r) TO '{path}'")
        return LandedBatch(source="shop.things", batch=batch, files=(str(path),))

    return land_table


def take(warehouse, entity, read, *batches):
    return conform(warehouse, entity, {"shop.things": read}, batches)


def render_day(instant):
    return "open" if instant.year == 9999 else f"{instant:%m-%d}"


def check(warehouse, picture):
    names = [name for name in parse_table(picture)[0] if name not in {"from", "to"}]
    listed = ", ".join(f'"{name}"' for name in names)
    rows = warehouse.rows(f"SELECT {listed}, valid_from, valid_to FROM silver.thing")
    rows = [
        dict(zip((*names, "from", "to"), (*row, render_day(since), render_day(until)), strict=True))
        for *row, since, until in rows
    ]
    assert find_mismatch(picture, rows) == "", find_mismatch(picture, rows)


NARROW, WIDE = make_thing(name="text"), make_thing(name="text", colour="text")
SMALL, WHOLE = make_mapping(name="name"), make_mapping(name="name", colour="colour")
SHADED = make_mapping(name="name", shade="colour")


def set_schema_change(choice: str, entity: Entity) -> Entity:
    return entity.model_copy(update={"on_schema_change": choice})


def rebuild(warehouse, entity, read, *batches):
    """What a run does of `on_schema_change: rebuild`: it drops, and takes in all that ever landed."""
    (decision,) = decide_schemas(warehouse, [entity]).values()
    assert decision.rebuild
    drop_entity(warehouse, entity)
    result = take(warehouse, entity, read, *batches)
    finish_rebuild(warehouse, entity)
    assert decide_schemas(warehouse, [entity]) == {}
    return result


def log(warehouse):
    return sorted(warehouse.rows("SELECT sequence, hash, batch_id FROM silver.thing_log"))


def test_a_change_that_nobody_decided_on_is_refused_and_writes_nothing(warehouse, land):
    take(warehouse, WIDE, WHOLE, land(BEFORE, 1))
    log_before = log(warehouse), warehouse.describe("silver", "thing")
    after = make_thing(name="text", shade="text")
    for carried_out in (
        lambda: take(warehouse, after, SHADED, land(AFTER, 2)),
        lambda: decide_schemas(warehouse, [after]),
    ):
        with pytest.raises(DeclarationError, match="`on_schema_change` is not set; nothing was written"):
            carried_out()
    assert (log(warehouse), warehouse.describe("silver", "thing")) == log_before


@pytest.mark.parametrize(
    ("before", "after", "details", "ways"),
    [
        (NARROW, WIDE, "`colour` is new", 4),
        (WIDE, NARROW, "`colour` is no longer declared", 4),
        (WIDE, make_thing(name="text", shade="text"), "`shade` is new; `colour` is no longer declared", 5),
    ],
)
def test_the_refusal_names_the_columns_and_both_choices(before, after, details, ways):
    error = check_decision(after, diff_schema(after, SchemaSnapshot(key=("id",), columns=before.columns)))
    assert (error.details, error.hint.count("; ") + 1) == (details, ways)
    assert "`on_schema_change: from_now`" in error.hint
    assert "`on_schema_change: rebuild`" in error.hint


def test_a_new_name_for_what_is_there_under_both_needs_a_rebuild():
    both = {**WIDE.columns, "shade": WIDE.columns["colour"]}
    shaded = make_thing("from_now", name="text", shade={"type": "text", "renamed_from": "colour"})
    error = check_decision(shaded, diff_schema(shaded, SchemaSnapshot(key=("id",), columns=both, retired=("colour",))))
    assert error.message.endswith("its history cannot continue with the change; nothing was written")
    assert error.details == "`shade` and `colour` both exist already"


def test_added_from_now(warehouse, land):
    take(warehouse, NARROW, SMALL, land(BEFORE, 1))
    wide = set_schema_change("from_now", WIDE)
    result = take(warehouse, wide, WHOLE, land(AFTER, 2))
    (told,) = result.findings
    assert (told.finding, told.count) == ("column_added", 1)
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
    again = take(warehouse, wide, WHOLE, land(AFTER, 2))
    assert (again.events, again.inserted, again.findings) == (0, 0, ())


def test_added_and_rebuilt(warehouse, land):
    first, second = land(BEFORE, 1), land(AFTER, 2)
    take(warehouse, NARROW, SMALL, first)
    assert rebuild(warehouse, set_schema_change("rebuild", WIDE), WHOLE, first, second).findings == ()
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


def test_removed_from_now(warehouse, land):
    """What is known stays, the last value is carried (absent is not NULL), and no version comes of it."""
    take(warehouse, WIDE, WHOLE, land(BEFORE, 1))
    narrow, news, more = set_schema_change("from_now", NARROW), land(AFTER, 2), land(AFTER.replace("new ", "next"), 3)
    result = take(warehouse, narrow, SMALL, news)
    assert (result.events, result.inserted, result.deleted) == (1, 0, 0)
    assert [one.finding for one in result.findings] == ["column_retired"]
    result = take(warehouse, narrow, SMALL, news, more)
    assert (result.events, result.inserted, result.deleted, result.findings) == (1, 2, 1, ())
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


def test_removed_and_rebuilt(warehouse, land):
    """The versions that it alone told apart are one."""
    first, second = land(BEFORE, 1), land(AFTER, 2)
    take(warehouse, WIDE, WHOLE, first, second)
    rebuild(warehouse, set_schema_change("rebuild", NARROW), SMALL, first, second)
    assert "colour" not in [column.name for column in warehouse.describe("silver", "thing")]
    check(
        warehouse,
        """
    | name | from  | to    |
    | ---- | ----- | ----- |
    | old  | 01-01 | 01-10 |
    | new  | 01-10 | open  |
    """,
    )


def test_removed_from_now_and_declared_again(warehouse, land):
    """The history continues with the last known value: no batch showed the column in between."""
    take(warehouse, WIDE, WHOLE, land(BEFORE, 1))
    take(warehouse, set_schema_change("from_now", NARROW), SMALL, land(AFTER, 2))
    with pytest.raises(DeclarationError, match="`on_schema_change` is not set"):
        decide_schemas(warehouse, [WIDE])
    take(warehouse, set_schema_change("from_now", WIDE), WHOLE, land(AFTER.replace("02-01", "02-09"), 3))
    check(
        warehouse,
        """
    | name | colour | from  | to    |
    | ---- | ------ | ----- | ----- |
    | old  | red    | 01-01 | 01-10 |
    | new  | blue   | 01-10 | 02-09 |
    | new  | green  | 02-09 | open  |
    """,
    )


def test_renamed_from_now_is_one_that_ends_and_one_that_begins(warehouse, land):
    take(warehouse, WIDE, WHOLE, land(BEFORE, 1))
    result = take(warehouse, make_thing("from_now", name="text", shade="text"), SHADED, land(AFTER, 2))
    assert [(one.finding, one.detail.split(" ")[0]) for one in result.findings] == [
        ("column_added", "thing.shade"),
        ("column_retired", "thing.colour"),
    ]
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


SHADES = """
    | name | shade | from  | to    |
    | ---- | ----- | ----- | ----- |
    | old  | red   | 01-01 | 01-10 |
    | new  | blue  | 01-10 | 02-01 |
    | new  | green | 02-01 | open  |
    """


def test_renamed_and_rebuilt(warehouse, land):
    first, second = land(BEFORE, 1), land(AFTER, 2)
    take(warehouse, WIDE, WHOLE, first)
    rebuild(warehouse, make_thing("rebuild", name="text", shade="text"), SHADED, first, second)
    check(warehouse, SHADES)


TIED_KEYS = """
    | id | name | size | colour | changed    |
    | -- | ---- | ---- | ------ | ---------- |
    | 1  | new  | 5    | blue   | 2026-01-10 |
    | 1  | new  | 5    | ochre  | 2026-01-10 |
    | 2  | two  | 5    | NULL   | 2026-01-10 |
"""


def test_renamed_from_goes_on_and_a_rebuild_is_the_same(warehouse, land):
    """No version, no event and no hash changes, whatever else stood at the same instant: twice renamed is no more."""
    first, tied, second = land(BEFORE, 1), land(TIED_KEYS, 2), land(AFTER, 3)
    take(warehouse, NARROW, SMALL, first)
    take(warehouse, set_schema_change("from_now", WIDE), WHOLE, tied)
    told = log(warehouse)
    for name in ("shade", "tint"):
        renamed, read = make_thing(name="text", **{name: {"type": "text", "renamed_from": "colour"}}), make_mapping(
            name="name", **{name: "colour"}
        )  # fmt: skip
        result = take(warehouse, renamed, read, tied)
        assert (result.events, result.inserted, result.deleted) == (0, 0, 0)
        assert [one.finding for one in result.findings] == ["column_renamed"]
        assert log(warehouse) == told
    # Whoever forgets to say the old name changes nothing: it is remembered.
    renamed = make_thing(name="text", tint="text")
    result = take(warehouse, renamed, read, tied, second)
    assert (result.events, result.findings) == (1, ())
    names = [column.name for column in warehouse.describe("silver", "thing_log")]
    assert sorted(names) == sorted(["id", "name", "tint", *LOG_COLUMNS])
    known = {row[0] for row in warehouse.rows("SELECT known_columns FROM silver.thing_log")}
    assert known == {",id,name,", None}


def test_a_history_with_another_name_is_the_one_that_always_had_it(warehouse, land):
    first, tied, second = land(BEFORE, 1), land(TIED_KEYS, 2), land(AFTER, 3)
    shaded = make_thing(name="text", shade={"type": "text", "renamed_from": "colour"})
    take(warehouse, WIDE, WHOLE, first, tied)
    take(warehouse, shaded, SHADED, second)
    columns = "entity_key, id, name, shade, valid_from, valid_to, version_number, batch_id"
    query = f"SELECT {columns} FROM silver.thing ORDER BY entity_key, version_number"
    grown = warehouse.rows(query), log(warehouse)
    drop_entity(warehouse, shaded)
    take(warehouse, shaded, SHADED, first, tied, second)
    assert (warehouse.rows(query), log(warehouse)) == grown


def test_a_rebuild_that_was_begun_is_known_until_it_is_done(warehouse, land):
    take(warehouse, WIDE, WHOLE, land(BEFORE, 1))
    drop_entity(warehouse, WIDE)
    assert decide_schemas(warehouse, [WIDE])["thing"].rebuild
    take(warehouse, WIDE, WHOLE, land(BEFORE, 1))
    assert decide_schemas(warehouse, [WIDE])["thing"].rebuild
    finish_rebuild(warehouse, WIDE)
    assert decide_schemas(warehouse, [WIDE]) == {}


def test_a_column_that_is_kept_and_read_no_more_keeps_its_last_value(warehouse, land):
    take(warehouse, WIDE, WHOLE, land(BEFORE, 1))
    take(warehouse, WIDE, SMALL, land(AFTER.replace("new ", "next"), 2))
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


@pytest.mark.parametrize(
    ("before", "after"), [("integer", "bigint"), ("bigint", "double"), ("decimal(9,2)", "decimal(18,4)")]
)
def test_a_wider_type_makes_no_version_even_of_a_batch_that_is_taken_again(warehouse, land, before, after):
    first = land(BEFORE, 1)
    take(warehouse, make_thing(size=before), make_mapping(size="size"), first)
    result = take(warehouse, make_thing(size=after), make_mapping(size="size"), first, land(AFTER, 2))
    assert (result.deleted, result.inserted, result.findings) == (0, 0, ())
    size, since = warehouse.rows("SELECT size, valid_from FROM silver.thing")[0]
    assert (float(size), render_day(since)) == (5.0, "01-01")


def test_one_instant_in_two_time_zones_is_one_event_to_the_microsecond(warehouse, land):
    table = """
    | id | name | size | colour | changed                          |
    | -- | ---- | ---- | ------ | -------------------------------- |
    | 1  | old  | 5    | red    | 2026-01-01T23:30:00.000001-02:00 |
    | 1  | old  | 5    | red    | 2026-01-02T01:30:00.000001Z      |
    | 1  | old  | 5    | red    | 2026-01-02T07:00:00.000001+05:30 |
    | 1  | new  | 5    | red    | 2026-01-02T01:30:00.000002Z      |
    """
    result = take(warehouse, WIDE, WHOLE, land(table, 5))
    assert result.events == 2
    rows = warehouse.rows("SELECT name, EPOCH_US(valid_from) FROM silver.thing ORDER BY version_number")
    instant = to_micros(datetime(2026, 1, 2, 1, 30, tzinfo=UTC))
    assert rows == [("old", instant + 1), ("new", instant + 2)]


def test_keys_with_separators_in_their_values_are_things_of_their_own(warehouse, land):
    pair = Entity.model_validate(
        {
            "entity": "thing",
            "key": ["name", "colour"],
            "columns": {"name": "text", "colour": "text", "size": "bigint"},
            "sources": {},
        }
    )
    read = replace(make_mapping(), columns={"name": "name", "colour": "colour", "size": "size"})
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
