"""The catalog of a DuckDB file is read once, and again after every statement that may change it."""

from __future__ import annotations

from contextlib import closing

import pytest

from headwater.errors import WarehouseError
from headwater.warehouse.base import Table, TableColumn
from headwater.warehouse.duckdb.engine import DuckDB

NAMES = TableColumn(name="name", dtype="text")
THING = Table(layer="silver", name="thing", columns=(TableColumn(name="entity_key", dtype="text"), NAMES))


@pytest.fixture
def warehouse(tmp_path):
    with closing(DuckDB("acme", str(tmp_path / "acme.duckdb"))) as warehouse:
        warehouse.ensure(THING)
        yield warehouse


def list_columns(warehouse):
    return [column.name for column in warehouse.describe("silver", "thing") or ()]


def test_it_is_read_once_while_rows_come_and_go(warehouse, monkeypatch):
    read, rows = [], warehouse.rows
    monkeypatch.setattr(warehouse._catalog, "_read_rows", lambda select: read.append(select) or rows(select))
    warehouse._catalog.forget()
    for number in range(3):
        assert list_columns(warehouse) == ["entity_key", "name"]
        with warehouse.transaction(), warehouse.staging():
            staged = warehouse.stage("fresh", f"SELECT '{number}' AS entity_key, 'a' AS name")
            warehouse.append("silver", "thing", THING.names, f"SELECT * FROM {staged}")
        warehouse.delete("silver", "thing", "entity_key = '1'")
    assert len(read) == 1


CHANGES = {
    "drop": (lambda w: w.drop("silver", "thing"), []),
    "drop columns": (lambda w: w.drop_columns("silver", "thing", ["name"]), ["entity_key"]),
    "rename": (lambda w: w.rename_columns("silver", "thing", {"name": "title"}), ["entity_key", "title"]),
    "add": (
        lambda w: w.ensure(
            Table(layer="silver", name="thing", columns=(NAMES, TableColumn(name="more", dtype="bigint")))
        ),
        ["entity_key", "name", "more"],
    ),
    "statement": (lambda w: w.execute("ALTER TABLE silver.thing DROP COLUMN name"), ["entity_key"]),
    "lower case": (lambda w: w.execute("drop table silver.thing"), []),
    "answer": (lambda w: w.answer("DROP TABLE silver.thing"), []),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_seen(warehouse, name):
    change, columns = CHANGES[name]
    assert list_columns(warehouse) == ["entity_key", "name"]
    change(warehouse)
    assert list_columns(warehouse) == columns


def drop_and_fail(warehouse):
    with warehouse.transaction():
        warehouse.drop("silver", "thing")
        assert list_columns(warehouse) == []
        warehouse.execute("SELECT nothing")


def test_what_was_rolled_back_is_not_believed(warehouse):
    with pytest.raises(WarehouseError):
        drop_and_fail(warehouse)
    assert list_columns(warehouse) == ["entity_key", "name"]


def test_a_view_is_described_and_a_view_of_a_dropped_table_is_no_error(warehouse):
    warehouse.ensure_view("silver", "thing_current", "SELECT * FROM silver.thing")
    assert warehouse.tables("silver") == ("thing", "thing_current")
    warehouse.execute("DROP TABLE silver.thing")
    assert warehouse.tables("silver") == ("thing_current",)


def test_rows_are_counted_as_they_come(warehouse):
    assert warehouse.is_small("silver", "thing")
    select = "SELECT CAST(range AS VARCHAR), 'a' FROM range(20_000)"
    warehouse.append("silver", "thing", THING.names, select)
    assert not warehouse.is_small("silver", "thing")
    warehouse._catalog.forget()
    assert not warehouse.is_small("silver", "thing")


def test_what_is_created_is_known_as_it_is_read_from_the_file(warehouse, monkeypatch):
    kinds = ("text", "bigint", "integer", "double", "boolean", "date", "timestamp", "decimal(18,4)")
    columns = tuple(TableColumn(name=f"c{n}", dtype=kind, required=n == 0) for n, kind in enumerate(kinds))
    read, rows = [], warehouse.rows
    list_columns(warehouse)
    monkeypatch.setattr(warehouse._catalog, "_read_rows", lambda select: read.append(select) or rows(select))
    with warehouse.transaction():
        warehouse.ensure(Table(layer="gold", name="wide", columns=columns, key=("c0",)))
        warehouse.ensure_view("gold", "seen", "SELECT c1, c7 FROM gold.wide")
        warehouse.ensure_view("gold", "seen", "SELECT c1, c7, 1 AS one FROM gold.wide")
    names = {layer: warehouse.tables(layer) for layer in ("silver", "gold", "meta")}
    known = {name: warehouse._catalog.find("gold", name) for name in names["gold"]}
    assert all(select.startswith("DESCRIBE") for select in read)
    warehouse._catalog.forget()
    assert {layer: warehouse.tables(layer) for layer in names} == names
    assert {name: warehouse._catalog.find("gold", name) for name in known} == known


def test_a_creation_that_fails_or_is_rolled_back_is_not_known(warehouse):
    with pytest.raises(WarehouseError):
        warehouse.ensure_view("silver", "broken", "SELECT nothing FROM silver.thing")
    assert warehouse.describe("silver", "broken") is None
    with pytest.raises(ZeroDivisionError):
        _create_and_fail(warehouse)
    assert warehouse.describe("silver", "undone") is None
    assert list_columns(warehouse) == ["entity_key", "name"]


def _create_and_fail(warehouse):
    with warehouse.transaction():
        warehouse.ensure(Table(layer="silver", name="undone", columns=(NAMES,)))
        assert warehouse.describe("silver", "undone") is not None
        raise ZeroDivisionError


def test_what_else_is_created_in_the_meantime_is_seen(warehouse):
    with warehouse._catalog.add("silver", "first", is_view=True):
        warehouse.execute("CREATE OR REPLACE VIEW silver.first AS SELECT 1 AS one")
        warehouse.execute("CREATE OR REPLACE VIEW silver.second AS SELECT 2 AS two")
    assert warehouse.tables("silver") == ("first", "second", "thing")
