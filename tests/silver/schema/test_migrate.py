"""Tables made ready, and declarations that changed."""

from __future__ import annotations

import pytest

from headwater.errors import DeclarationError, WarehouseError
from headwater.model.entity import Entity
from headwater.silver.explain import explain
from headwater.silver.schema.diff import decide_schemas
from headwater.silver.schema.migrate import migrate_tables
from tests.silver.builders import THING, make_event, merge_events, open_on_engine, read_versions


def change_entity(*, choice=None, **columns) -> Entity:
    declared = {name: column.model_dump() for name, column in THING.columns.items()}
    changed = {name: column for name, column in {**declared, **columns}.items() if column is not None}
    return Entity.model_validate({**THING.model_dump(), "columns": changed, "on_schema_change": choice})


@pytest.fixture
def warehouse(engine):
    warehouse = open_on_engine(engine)
    merge_events(
        warehouse,
        [make_event("p:1", 10, name="a", size=1, note="n"), make_event("p:1", 20, name="b", size=1, note="n")],
    )
    return warehouse


def test_the_tables_are_those_of_the_design(warehouse):
    assert warehouse.tables("silver") == ("thing", "thing_current", "thing_log")
    names = [column.name for column in warehouse.describe("silver", "thing")]
    added = ["valid_from", "valid_to", "is_current", "version_number", "batch_id"]
    assert names == ["entity_key", *THING.columns, *added]
    assert len(warehouse.rows("SELECT * FROM silver.thing_current")) == 1


def test_a_new_column_is_added_and_the_view_shows_it(warehouse):
    before = read_versions(warehouse)
    migrate_tables(warehouse, change_entity(choice="from_now", colour={"type": "text"}))
    assert read_versions(warehouse) == before
    assert warehouse.rows("SELECT colour FROM silver.thing_current") == [(None,)]
    assert warehouse.rows("SELECT DISTINCT known_columns FROM silver.thing_log") == [(",thing_id,name,size,note,",)]


def test_a_wider_type_is_taken_and_a_narrower_one_refused(warehouse):
    migrate_tables(warehouse, change_entity(size={"type": "double"}))
    assert warehouse.rows("SELECT DISTINCT size FROM silver.thing") == [(1.0,)]
    with pytest.raises(WarehouseError, match="cannot be changed to date"):
        migrate_tables(warehouse, change_entity(size={"type": "date"}))


@pytest.mark.parametrize(
    ("entity", "why"),
    [
        (
            change_entity(choice="from_now", note={"type": "text", "history": "track"}),
            "`history` of `note` was `overwrite`",
        ),
        (Entity.model_validate({**THING.model_dump(), "key": ["thing_id", "name"]}), "its key was (thing_id)"),
        (change_entity(choice="rebuild", size=None), "`size` is no longer declared"),
    ],
)
def test_what_only_a_rebuild_can_do_is_refused_and_names_it(warehouse, entity, why):
    with pytest.raises(DeclarationError) as caught:
        migrate_tables(warehouse, entity)
    assert caught.value.details == why
    assert "headwater rebuild" in caught.value.hint
    assert len(read_versions(warehouse)) == 2
    assert decide_schemas(warehouse, [entity.model_copy(update={"on_schema_change": "rebuild"})])["thing"].rebuild


def test_columns_of_a_thing_that_was_never_seen_come_and_go_unasked(engine):
    empty = open_on_engine(engine)
    other = {**change_entity(size=None, colour={"type": "text"}).model_dump(), "key": ["thing_id", "colour"]}
    migrate_tables(empty, Entity.model_validate(other))
    names = [column.name for column in empty.describe("silver", "thing")]
    assert names[1:5] == ["thing_id", "name", "note", "colour"]


def test_a_column_that_silver_needs_itself_is_refused(engine):
    with pytest.raises(DeclarationError, match="cannot have a column `sequence`"):
        open_on_engine(engine, change_entity(sequence={"type": "bigint"}))


def test_making_ready_again_writes_nothing(warehouse, monkeypatch):
    wrote = []
    for verb in ("append", "delete", "update", "ensure", "ensure_view"):
        monkeypatch.setattr(warehouse, verb, lambda *arguments, verb=verb: wrote.append((verb, arguments)))
    migrate_tables(warehouse, THING)
    assert wrote == []


def test_the_history_of_an_entity_can_be_explained(warehouse):
    (text,) = explain(THING)
    assert len(warehouse.rows(text)) == 2
