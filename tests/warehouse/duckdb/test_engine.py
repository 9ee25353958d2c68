"""DuckDB as a warehouse, on real files."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.errors import WarehouseError
from headwater.warehouse.base import Table, TableColumn
from headwater.warehouse.duckdb.engine import DuckDB


def make_table(*columns: str, name="thing", key=("k",)) -> Table:
    pairs = (column.split(":") for column in columns)
    return Table(layer="gold", name=name, columns=tuple(TableColumn(name=n, dtype=t) for n, t in pairs), key=key)


THING = make_table("k:text", "n:bigint", "t:text")


@pytest.fixture
def warehouse(tmp_path):
    warehouse = DuckDB("acme", str(tmp_path / "deep" / "acme.duckdb"))
    yield warehouse
    warehouse.close()


def test_a_table_is_made_described_and_dropped(warehouse):
    warehouse.ensure(make_table("k:text", "n:integer", "d:decimal(18,4)", "at:timestamp", "day:date", "ok:boolean"))
    columns = warehouse.describe("gold", "thing")
    assert [column.dtype for column in columns] == ["text", "integer", "decimal(18,4)", "timestamp", "date", "boolean"]
    warehouse.ensure_view("gold", "seen", f"SELECT k FROM {warehouse.ref('gold', 'thing')}")
    assert warehouse.tables("gold") == ("seen", "thing")
    for name in ("seen", "thing", "nothing"):
        warehouse.drop("gold", name)
    assert (warehouse.tables("gold"), warehouse.describe("gold", "thing")) == ((), None)


def test_columns_are_added_and_widened_and_never_narrowed(warehouse):
    warehouse.ensure(make_table("k:text", "n:integer"))
    warehouse.execute("INSERT INTO gold.thing VALUES ('a', 1)")
    warehouse.ensure(make_table("k:text", "n:bigint", "more:text"))
    assert warehouse.rows("SELECT * FROM gold.thing") == [("a", 1, None)]
    with pytest.raises(WarehouseError) as caught:
        warehouse.ensure(make_table("k:text", "n:date", "more:text"))
    assert "headwater rebuild" in caught.value.hint
    assert "stored as bigint, declared as date" in caught.value.details


def test_a_transaction_holds_everything_or_nothing_and_may_be_nested(warehouse):
    warehouse.ensure(THING)
    with pytest.raises(RuntimeError), warehouse.transaction():  # noqa: PT012
        warehouse.execute("INSERT INTO gold.thing VALUES ('a', 1, '')")
        with warehouse.transaction():
            warehouse.execute("INSERT INTO gold.thing VALUES ('b', 1, '')")
        raise RuntimeError
    assert warehouse.rows("SELECT * FROM gold.thing") == []
    with pytest.raises(WarehouseError), warehouse.transaction():  # noqa: PT012
        warehouse.execute("INSERT INTO gold.thing VALUES ('a', 1, '')")
        warehouse.execute("SELECT no_such_column FROM gold.thing")
    with warehouse.transaction():
        assert warehouse.execute("INSERT INTO gold.thing VALUES ('a', 1, '')") == 1
    assert warehouse.execute("DELETE FROM gold.thing") == 1


ROW = st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 2), st.sampled_from([None, "", "x"]))
ROWS = st.lists(ROW, max_size=6, unique=True)


@settings(deadline=None, max_examples=30)
@given(stored=ROWS, fresh=ROWS, keys=st.sets(st.sampled_from("abc")), share=st.sampled_from((1, 3, 2_000_000)))
def test_replacing_rows_touches_only_those_that_differ(stored, fresh, keys, share):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headwater.warehouse.duckdb.replace_rows._SHARE", share)
        _check_replacement(stored, fresh, keys)


def _check_replacement(stored, fresh, keys):
    warehouse = DuckDB("acme", ":memory:", threads=1)
    warehouse.ensure(THING)
    schema = pa.schema([("k", pa.string()), ("n", pa.int64()), ("t", pa.string())])

    def to_arrow(rows):
        return pa.Table.from_pylist([dict(zip("knt", row, strict=True)) for row in rows], schema=schema)

    fresh = [row for row in fresh if row[0] in keys]
    warehouse.execute(f"INSERT INTO gold.thing SELECT * FROM {warehouse.stage('stored', to_arrow(stored))}")
    staged = warehouse.stage("fresh", to_arrow(fresh))
    keyed = warehouse.stage("keys", to_arrow([(key, None, None) for key in sorted(keys)]).select(["k"]))
    written = warehouse.replace_rows(THING, keys=keyed, new_rows=staged)
    replaced = {row for row in stored if row[0] in keys}
    assert set(warehouse.rows("SELECT * FROM gold.thing")) == set(fresh) | (set(stored) - replaced)
    assert (written.deleted, written.inserted) == (len(replaced - set(fresh)), len(set(fresh) - replaced))
    again = warehouse.replace_rows(THING, keys=keyed, new_rows=staged)
    assert again.rows == 0
    all_keys = warehouse.stage("everyone", to_arrow([(key, None, None) for key in "abc"]).select(["k"]))
    with warehouse.transaction():
        nothing = warehouse.stage("nothing", f"SELECT * FROM {staged} WHERE FALSE")
        for rows in (staged, nothing, staged):
            warehouse.replace_rows(THING, keys=all_keys, new_rows=rows)
    assert set(warehouse.rows("SELECT * FROM gold.thing")) == set(fresh)
    warehouse.close()


def test_a_file_that_another_process_holds_is_said_to_be_in_use(warehouse):
    script = f"""
from headwater.errors import WarehouseError
from headwater.warehouse.duckdb.engine import DuckDB
try:
    DuckDB("acme", {warehouse.path!r})
except WarehouseError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "in use by another process" in done.stdout
    assert "held by process" in done.stdout
    assert "fix " in done.stdout
    assert warehouse.path in done.stdout


def test_a_warehouse_opened_for_looking_changes_nothing_and_reads_no_other_file(warehouse, tmp_path):
    warehouse.ensure(THING)
    path = warehouse.path
    warehouse.close()
    looking = DuckDB("acme", path, read_only=True)
    assert looking.answer_arrow("SELECT count(*) AS n FROM gold.thing").to_pylist() == [{"n": 0}]
    for statement in (
        "DELETE FROM gold.thing",
        f"COPY gold.thing TO '{tmp_path}/stolen.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "SET enable_external_access = true",
    ):
        with pytest.raises(WarehouseError):
            looking.execute(statement)
    looking.close()
    with pytest.raises(WarehouseError):
        DuckDB("acme", str(tmp_path / "none.duckdb"), read_only=True)


def test_instants_are_utc_whatever_the_machine_thinks(warehouse, monkeypatch):
    assert warehouse.rows("SELECT current_setting('TimeZone')") == [("UTC",)]
    assert warehouse.rows("SELECT CAST(TIMESTAMPTZ '2026-01-01 00:00:00+02' AS TIMESTAMP)::VARCHAR") == [
        ("2025-12-31 22:00:00",)
    ]


def test_what_is_no_database_is_refused_in_four_slots(tmp_path):
    path = tmp_path / "text.duckdb"
    path.write_text("this is no database, and long enough to be looked at as one " * 100)
    with pytest.raises(WarehouseError) as caught:
        DuckDB("acme", str(path))
    error = caught.value
    assert error.message
    assert error.where == str(path)
    assert error.details
    assert error.hint


def test_names_are_quoted_in_refs(warehouse):
    assert warehouse.ref("silver", 'a"b') == '"silver"."a""b"'


def read_storage(path):
    with duckdb.connect(str(path), read_only=True) as db:
        return db.execute("SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal").fetchone()[0]


@pytest.mark.parametrize(("storage", "kept"), [("v1.2.0", "v1.2.0+"), ("v1.5.0", "v1.5.0+"), ("latest", "v2.0.0+")])
def test_a_new_file_has_the_storage_that_is_declared(tmp_path, storage, kept):
    path = tmp_path / "acme.duckdb"
    warehouse = DuckDB("acme", str(path), storage=storage)
    warehouse.execute("CREATE SCHEMA gold")
    assert warehouse.notes == ()
    warehouse.close()
    assert read_storage(path) == kept


def test_a_new_file_is_one_that_duckdb_1_opens_and_one_that_is_there_stays_as_it_is(tmp_path):
    path = tmp_path / "acme.duckdb"
    DuckDB("acme", str(path)).close()
    assert read_storage(path) == "v1.2.0+"
    newer = tmp_path / "newer.duckdb"
    warehouse = DuckDB("acme", str(newer), storage="latest")
    warehouse.execute("CREATE TABLE t AS SELECT 1 AS one")
    warehouse.close()
    again = DuckDB("acme", str(newer))
    again.execute("INSERT INTO t VALUES (2)")
    assert again.rows("SELECT SUM(one) FROM t") == [(3,)]
    assert len(again.notes) == 1
    assert "v2.0.0" in again.notes[0]
    again.close()
    assert read_storage(newer) == "v2.0.0+"


def test_a_file_is_converted_as_the_guide_says_and_is_gone_on_with(tmp_path):
    old, new = tmp_path / "old.duckdb", tmp_path / "new.duckdb"
    warehouse = DuckDB("acme", str(old), storage="latest")
    warehouse.ensure(replace(make_table("k:text", "valid_from:timestamp", "valid_to:timestamp"), has_validity=True))
    warehouse.execute("INSERT INTO gold.thing VALUES ('a', TIMESTAMP '2024-01-01', TIMESTAMP '9999-12-31')")
    warehouse.ensure_view("gold", "thing_current", "SELECT * FROM gold.thing")
    warehouse.close()
    with duckdb.connect() as db:
        db.execute(f"ATTACH '{old}' AS old (READ_ONLY)")
        db.execute(f"ATTACH '{new}' AS new (STORAGE_VERSION 'v1.2.0')")
        db.execute("COPY FROM DATABASE old TO new")
    again = DuckDB("acme", str(new))
    assert again.notes == ()
    assert again.rows("SELECT k FROM gold.thing_asof(TIMESTAMP '2025-01-01')") == [("a",)]
    assert again.rows("SELECT k FROM gold.thing_current") == [("a",)]
    again.ensure(make_table("k:text", "valid_from:timestamp", "valid_to:timestamp", "more:bigint"))
    again.execute("DELETE FROM gold.thing WHERE k = 'a'")
    again.close()
    assert read_storage(new) == "v1.2.0+"


def test_a_notebook_of_the_same_process_may_have_the_file_open_meanwhile(tmp_path):
    path = tmp_path / "it's acme.duckdb"
    warehouse = DuckDB("acme", str(path))
    warehouse.execute("CREATE SCHEMA gold")
    with duckdb.connect(str(path)) as notebook:
        assert notebook.execute(
            "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'gold'"
        ).fetchall()
    warehouse.close()
    with duckdb.connect(str(path)):
        DuckDB("acme", str(path)).close()
    assert read_storage(path) == "v1.2.0+"


def test_a_small_file_uses_one_thread_until_a_statement_writes_many_rows(tmp_path):
    path = str(tmp_path / "acme.duckdb")
    cores = duckdb.connect().execute("SELECT current_setting('threads')").fetchone()
    select = "SELECT current_setting('threads')"
    with closing(DuckDB("acme", path)) as new:
        assert new.rows(select) == [cores], "nobody knows how much a first load writes"
    warehouse = DuckDB("acme", path)
    try:
        warehouse.stage("few", "SELECT range AS n FROM range(1000)")
        assert warehouse.rows(select) == [(1,)]
        with duckdb.connect(path) as notebook:
            assert notebook.execute("SELECT 1").fetchone() == (1,)
        with warehouse.transaction():
            warehouse.stage("many", "SELECT range AS n FROM range(60000)")
        assert warehouse.rows(select) == [cores]
    finally:
        warehouse.close()


def test_declared_threads_are_used_and_a_reader_uses_all(tmp_path):
    path, select = str(tmp_path / "acme.duckdb"), "SELECT current_setting('threads')"
    for options, expected in (({"threads": 3}, [(3,)]), ({"read_only": True}, duckdb.sql(select).fetchall())):
        warehouse = DuckDB("acme", path, **options)
        try:
            assert warehouse.rows(select) == expected
        finally:
            warehouse.close()
