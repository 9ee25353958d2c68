"""Spark's own ways: two formats of tables, a journal of what to undo, a catalog that forgets, sessions of others."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from headwater.errors import WarehouseError
from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.history.oracle import build_history
from headwater.warehouse.base import Table, TableColumn
from headwater.warehouse.dml import overwrite_rows
from headwater.warehouse.spark import connection
from headwater.warehouse.spark.engine import Spark
from tests.grid.engines import LONG
from tests.grid.spark_session import SETTINGS
from tests.silver.builders import COLUMNS, THING, make_event, merge_events, read_versions

FORMATS = ("delta", "parquet")
ROOT = Path(__file__).parents[3]


def make_column(name, dtype, required=False):
    return TableColumn(name=name, dtype=dtype, required=required)


THINGS = Table(
    layer="gold",
    name="things",
    columns=(
        make_column("id", "bigint"),
        make_column("name", "text"),
        make_column("at", "timestamp"),
        make_column("n", "decimal(9,2)"),
    ),
    key=("id",),
    primary_key=("id",),
)


@pytest.fixture(scope="module")
def open_tenant(spark_engine):
    """Opens warehouses of a format, for a tenant that nobody has used or for one that is named."""

    def open_warehouse(table_format, tenant=""):
        usual, spark_engine.flavour = spark_engine.flavour, table_format
        try:
            return spark_engine.open(tenant)
        finally:
            spark_engine.flavour = usual

    yield open_warehouse
    spark_engine.clear()


@pytest.fixture(params=FORMATS, scope="module")
def shared_warehouse(request, open_tenant):
    """A warehouse with a table of three rows."""
    return open_tenant(request.param)


@pytest.fixture
def warehouse(shared_warehouse):
    """The same for every test of a format, its table as it was."""
    shared_warehouse.drop("gold", "things")
    shared_warehouse.ensure(THINGS)
    shared_warehouse.append(
        "gold", "things", ("id", "name"), "SELECT * FROM (VALUES (1, 'a'), (2, ''), (3, NULL)) AS t(id, name)"
    )
    return shared_warehouse


def read_names(warehouse, table="gold.things"):
    return sorted(warehouse.rows(f"SELECT id, name FROM {table}"), key=repr)


THREE = [(1, "a"), (2, ""), (3, None)]


def test_every_verb_counts_what_it_wrote(warehouse):
    assert read_names(warehouse) == THREE
    assert warehouse.update("gold", "things", {"name": "CONCAT(name, '!')"}, "id = 1") == 1
    assert warehouse.delete("gold", "things", "name IS NULL") == 1
    counts = overwrite_rows(
        warehouse, "gold", "things", where="id = 2", columns=("id",), select="SELECT 7 UNION ALL SELECT 8"
    )
    assert (counts.deleted, counts.inserted) == (1, 2)
    assert read_names(warehouse) == [(1, "a!"), (7, None), (8, None)]


def test_changes_are_applied_at_once(warehouse):
    rows = "(VALUES (1, 1, 'new'), (2, NULL, NULL), (NULL, 9, 'come')) AS t(was, id, name)"
    null = "CAST(NULL AS TIMESTAMP) AS at, CAST(NULL AS DECIMAL(9,2)) AS n"
    moved = warehouse.stage("moved", f"SELECT was, id, name, {null} FROM {rows}")
    added = f"SELECT 10, 'more', {null}"
    counts = warehouse.apply(THINGS, moved, old_key_columns={"id": "was"}, inserts=added)
    assert (counts.deleted, counts.inserted) == (2, 3)
    assert read_names(warehouse) == [(1, "new"), (10, "more"), (3, None), (9, "come")]


def test_rows_that_are_equal_stay_and_a_replay_writes_nothing(warehouse):
    fresh = "SELECT id, name, CAST(NULL AS TIMESTAMP) AS at, 1.5 AS n FROM (VALUES (2, ''), (4, 'd')) AS t(id, name)"
    keys = warehouse.stage("keys", "SELECT id FROM (VALUES (1), (2), (4)) AS t(id)")
    staged = warehouse.stage("fresh", fresh)
    first = warehouse.replace_rows(THINGS, keys=keys, new_rows=staged)
    assert (first.deleted, first.inserted) == (2, 2)
    before = read_state(warehouse)
    again = warehouse.replace_rows(THINGS, keys=keys, new_rows=staged)
    assert (again.rows, read_state(warehouse)) == (0, before)
    assert read_names(warehouse) == [(2, ""), (3, None), (4, "d")]


def read_state(warehouse):
    """Where the table's files are, and which."""
    shelf = warehouse._tables.find_table("gold", "things")
    return shelf, warehouse._tables.list_files(shelf), warehouse._tables.read_version("gold", "things")


def test_values_come_back_as_they_went_in(warehouse):
    odd = [("", "a\\'b\"`\n", None), (datetime(9999, 12, 31), datetime(1, 1, 1, 0, 0, 0, 1), None)]  # noqa: DTZ001
    table = pa.table(
        {"id": pa.array([1, 2, 3], pa.int64()), "name": odd[0], "at": pa.array(odd[1], pa.timestamp("us"))}
    )
    warehouse.delete("gold", "things", "TRUE")
    staged = warehouse.stage("odd", table)
    assert warehouse.append("gold", "things", ("id", "name", "at"), f"SELECT id, name, at FROM {staged}") == 3
    assert warehouse.rows("SELECT name, at FROM gold.things ORDER BY id") == list(zip(*odd, strict=True))
    assert warehouse.answer_arrow("SELECT name FROM gold.things ORDER BY id").column(0).to_pylist() == list(odd[0])


def test_staged_rows_stay_as_they_were(warehouse):
    staged = warehouse.stage("seen", "SELECT id, name FROM gold.things")
    warehouse.delete("gold", "things", "TRUE")
    assert sorted(warehouse.rows(f"SELECT id, name FROM {staged}"), key=repr) == THREE
    assert warehouse.stage("seen", f"SELECT * FROM {staged} WHERE id = 1", f"SELECT * FROM {staged} WHERE id = 2")
    assert warehouse.rows(f"SELECT COUNT(*) FROM {staged}") == [(2,)]


def test_columns_are_added_widened_and_dropped(warehouse):
    wider = Table(layer="gold", name="things", columns=(make_column("id", "text"), make_column("more", "double")))
    warehouse.ensure(wider)
    assert [(one.name, one.dtype) for one in warehouse.describe("gold", "things")] == [
        ("id", "text"), ("name", "text"), ("at", "timestamp"), ("n", "decimal(9,2)"), ("more", "double"),
    ]  # fmt: skip
    assert read_names(warehouse) == [("1", "a"), ("2", ""), ("3", None)]
    warehouse.drop_columns("gold", "things", ("name", "at"))
    assert warehouse.answer_arrow("SELECT * FROM gold.things ORDER BY id").column_names == ["id", "n", "more"]
    with pytest.raises(WarehouseError, match="cannot be changed to bigint"):
        warehouse.ensure(Table(layer="gold", name="things", columns=(make_column("id", "bigint"),)))


def change_everything(warehouse):
    """All that a transaction may do."""
    warehouse.append("gold", "things", ("id",), "SELECT 4")
    warehouse.ensure(
        Table(layer="gold", name="things", columns=(make_column("id", "text"), make_column("more", "text")))
    )
    warehouse.ensure_view("gold", "shown", "SELECT * FROM gold.things WHERE id <> '1'")
    warehouse.update("gold", "things", {"name": "'changed'"}, "TRUE")
    warehouse.ensure(Table(layer="gold", name="other", columns=(make_column("id", "bigint"),)))
    warehouse.append("gold", "other", ("id",), "SELECT 1")
    warehouse.drop("gold", "kept")
    warehouse.ensure(Table(layer="gold", name="kept", columns=(make_column("x", "text"),)))


class PulledOut(BaseException):
    """The power went."""


def fail_transaction(warehouse):
    """A transaction that does not end well."""
    with warehouse.transaction():
        change_everything(warehouse)
        raise PulledOut


def restore(warehouse):
    """What was there before the turmoil."""
    warehouse.drop("gold", "other")
    warehouse.drop("gold", "kept")
    warehouse.ensure(
        Table(layer="gold", name="kept", columns=(make_column("id", "bigint"), make_column("name", "text")))
    )
    warehouse.append("gold", "kept", ("id", "name"), "SELECT 1, 'k'")
    warehouse.ensure_view("gold", "shown", "SELECT id FROM gold.things WHERE id = 1")


def is_as_before(warehouse):
    assert read_names(warehouse) == THREE
    assert read_names(warehouse, "gold.kept") == [(1, "k")]
    assert warehouse.rows("SELECT * FROM gold.shown") == [(1,)]
    assert warehouse.tables("gold") == ("kept", "shown", "things")
    assert [one.name for one in warehouse.describe("gold", "things")] == ["id", "name", "at", "n"]


def test_an_exception_undoes_everything(warehouse):
    restore(warehouse)
    with pytest.raises(PulledOut):
        fail_transaction(warehouse)
    is_as_before(warehouse)
    warehouse.append("gold", "things", ("id",), "SELECT 5")
    assert len(read_names(warehouse)) == 4


def test_what_a_dead_writer_left_is_undone_by_whoever_comes(warehouse, open_tenant, monkeypatch):
    restore(warehouse)
    table_format = warehouse._tables._format
    dead = open_tenant(table_format, warehouse.tenant)
    monkeypatch.setattr(dead._tables, "roll_back", dead._tables._journal.unlock)
    with pytest.raises(PulledOut):
        fail_transaction(dead)
    is_as_before(open_tenant(table_format, warehouse.tenant))
    warehouse.append("gold", "things", ("id",), "SELECT 5")
    assert len(read_names(warehouse)) == 4


def test_writers_wait_for_each_other(open_tenant):
    for table_format in FORMATS:
        first = open_tenant(table_format)
        migrate_tables(first, THING)
        second = open_tenant(table_format, first.tenant)
        batches = {first: [1, 2], second: [3, 4]}
        threads = [
            threading.Thread(target=lambda w=w, n=n: [merge_events(w, [make_event("p:1", i, name=f"n{i}")]) for i in n])
            for w, n in batches.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = [make_event("p:1", i, name=f"n{i}") for i in (1, 2, 3, 4)]
        assert read_versions(first) == read_versions(second) == build_history(told, COLUMNS, THING.overwritten)


def test_a_past_day_can_be_asked_for(open_tenant):
    for table_format in FORMATS:
        warehouse = open_tenant(table_format)
        migrate_tables(warehouse, THING)
        merge_events(warehouse, [make_event("p:1", 10, name="a"), make_event("p:1", 20, name="b")])
        statement = "SELECT name FROM silver.thing_asof(TIMESTAMP_NTZ '1970-01-01 00:00:00.000015')"
        assert warehouse.answer_arrow(statement).column("name").to_pylist() == ["a"]


def test_complaints_have_no_call_stack(warehouse):
    with pytest.raises(WarehouseError) as caught:
        warehouse.rows("SELECT nothing FROM gold.things")
    assert "nothing" in caught.value.details
    assert "org.apache" not in str(caught.value)
    assert "SELECT" in caught.value.hint
    with pytest.raises(WarehouseError, match="no BIGINT: x"):
        warehouse.rows("SELECT CAST('x' AS BIGINT)")


def test_what_java_complains_of_and_pyspark_does_not_know_is_a_complaint_too(warehouse):
    java = warehouse._spark.sparkContext._jvm.java
    with pytest.raises(WarehouseError, match="Spark refused") as caught, warehouse._translate_errors("SELECT 1"):
        java.nio.file.Files.size(java.io.File("/nowhere").toPath())
    assert "NoSuchFileException: /nowhere" in caught.value.details
    assert "\tat " not in str(caught.value)


def test_names_that_would_be_one_in_spark_are_refused(open_tenant):
    one = open_tenant("parquet", "a-b")
    with pytest.raises(WarehouseError, match="refers to another folder"):
        open_tenant("parquet", "a_b")
    one.close()


def test_parquet_is_for_local_mode():
    with pytest.raises(WarehouseError, match=r"active Spark session|local mode"):
        Spark("acme", table_format="parquet")


def test_without_java_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(WarehouseError, match="needs Java 17") as caught:
        connection.check_java()
    assert "install" in caught.value.hint


GONE = """
import os, signal
from headwater.errors import WarehouseError
from headwater.warehouse.spark.engine import Spark
from headwater.warehouse.spark.connection import get_driver_process
from tests.grid.spark_session import SETTINGS
signal.signal(signal.SIGTERM, lambda *_: print("asked to end", flush=True))
warehouse = Spark("acme", "local[1]", os.environ["TABLES"], table_format="parquet", settings=SETTINGS)
os.killpg(0, signal.SIGTERM)
print(warehouse.rows("SELECT 1"))
os.kill(get_driver_process(warehouse._spark), signal.SIGKILL)
for ask in (lambda: warehouse.rows("SELECT 1"), lambda: Spark("b", "local[1]", os.environ["TABLES"], settings=SETTINGS)):
    try:
        ask()
    except WarehouseError as error:
        print(str(error).splitlines()[0])
"""


def test_a_signal_to_all_of_us_leaves_spark_to_us_and_a_spark_that_has_gone_is_called_gone(java, tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", GONE], capture_output=True, text=True, cwd=ROOT, check=False,
        env={**os.environ, "TABLES": str(tmp_path)}, start_new_session=True,
    )  # fmt: skip
    assert run.stdout.splitlines() == [
        "asked to end",
        "[(1,)]",
        "the connection to Spark was lost",
        "Spark cannot be reached",
    ]
    assert run.stderr == ""


WRITER = """
import sys
from headwater.warehouse.spark.engine import Spark
from tests.grid.spark_session import SETTINGS
from tests.silver.builders import merge_events
from tests.warehouse.spark.test_engine import make_next_events
warehouse = Spark("acme", "local[1]", sys.argv[1], table_format=sys.argv[2], settings=SETTINGS)
warehouse.rows("SELECT COUNT(*) FROM silver.thing")
print("open", flush=True)
merge_events(warehouse, make_next_events())
warehouse.close()
"""


def make_next_events():
    late = [make_event(f"p:{number}", 5, name="older") for number in range(0, 40, 3)]
    return late + [make_event(f"p:{number}", 20, name="new") for number in range(0, 50, 2)]


@pytest.mark.slow
@pytest.mark.parametrize("table_format", FORMATS)
def test_killed_at_any_moment_and_run_again_ends_in_the_same_history(open_tenant, tmp_path, table_format):
    def reopen():
        return Spark("acme", "local[1]", str(tmp_path), table_format=table_format, settings=SETTINGS)

    before = [make_event(f"p:{number}", 10, name="old") for number in range(40)]
    warehouse = reopen()
    migrate_tables(warehouse, THING)
    merge_events(warehouse, before)
    start = read_versions(warehouse)
    wanted = build_history([*before, *make_next_events()], COLUMNS, THING.overwritten)
    chance = random.Random(3)
    for _ in range(2):
        run = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), table_format], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert run.stdout.readline() == "open\n"
        time.sleep(chance.uniform(1, 9 if table_format == "delta" else 4))
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
        warehouse.close()
        warehouse = reopen()
        assert read_versions(warehouse) in (start, wanted)
    merge_events(warehouse, make_next_events())
    assert read_versions(warehouse) == wanted
    warehouse.close()


def read_all(warehouse):
    tables = ("silver.thing", "silver.thing_log", "meta.change_feed", "meta.tied_keys")
    return [sorted(warehouse.rows(f"SELECT * FROM {table}"), key=repr) for table in tables]


def die_at(warehouse, moment):
    """Merge, and die at a moment: before a table is written, once its version is noted, or after. Whether it died."""
    moments = itertools.count()

    def die_at_moment(*_):
        if next(moments) == moment:
            raise PulledOut

    def wrap(write):
        def write_or_die(*args, **named):
            die_at_moment()
            counts = write(*args, **named)
            die_at_moment()
            return counts

        return write_or_die

    touch = warehouse._tables.record_version
    warehouse._tables.record_version = lambda *args: (touch(*args), die_at_moment())
    for verb in ("append", "delete", "update", "apply", "replace"):
        setattr(warehouse._writes, verb, wrap(getattr(warehouse._writes, verb)))
    # A dead process undoes nothing, and its locks are free.
    warehouse._tables.roll_back = warehouse._tables._finish
    try:
        merge_events(warehouse, make_next_events())
    except PulledOut:
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("table_format", [pytest.param("delta", marks=LONG), "parquet"])
def test_a_writer_that_dies_at_any_write_leaves_what_was_there(open_tenant, table_format):
    before = [make_event(f"p:{number}", 10, name="old") for number in range(40)]
    warehouse = open_tenant(table_format)
    migrate_tables(warehouse, THING)
    merge_events(warehouse, before)
    start = read_all(warehouse)
    for moment in range(100):
        if not die_at(open_tenant(table_format, warehouse.tenant), moment):
            break
        assert read_all(open_tenant(table_format, warehouse.tenant)) == start
    assert moment >= 6
    assert read_versions(warehouse) == build_history([*before, *make_next_events()], COLUMNS, THING.overwritten)


CONNECTED = """
import json, sys
from headwater.warehouse.spark import connection
from tests.grid.spark_session import SETTINGS
from pyspark.sql import SparkSession
told = {**connection.LOCAL_SETTINGS, **connection.find_delta_settings(), **SETTINGS, "spark.sql.warehouse.dir": sys.argv[1]}
del told["spark.app.name"]
builder = SparkSession.builder.remote("local[1]")
for name, value in told.items():
    builder = builder.config(name, value)
active = builder.config("spark.sql.session.timeZone", "Asia/Tokyo").getOrCreate()
from headwater.silver.schema.migrate import migrate_tables
from headwater.warehouse.spark.engine import Spark
from tests.silver.builders import THING, merge_events, make_event, read_versions
warehouse = Spark("acme")
migrate_tables(warehouse, THING)
merge_events(warehouse, [make_event("p:1", 10, name="a")])
merge_events(warehouse, [make_event("p:1", 5, name="late"), make_event("p:2", 5, name="b")])
before, told = read_versions(warehouse), []
for undo in (warehouse._tables.roll_back, lambda: None):
    warehouse._tables.roll_back = undo
    try:
        with warehouse.transaction():
            warehouse.delete("silver", "thing", "TRUE")
            warehouse.drop("silver", "thing_current")
            warehouse.drop("meta", "tied_keys")
            raise KeyError
    except KeyError:
        told.append(len(read_versions(warehouse)))
merge_events(warehouse, [make_event("p:2", 5, name="b")])
told += [read_versions(warehouse) == before, warehouse.tables("silver"), warehouse.describe("meta", "tied_keys") is not None]
told.append(warehouse.answer_arrow("SELECT name FROM silver.thing_asof(TIMESTAMP_NTZ '1970-01-01 00:00:00.000007')").num_rows)
warehouse.erase()
print(json.dumps([before, told, active.conf.get("spark.sql.session.timeZone")], default=str), flush=True)
active.stop()
"""


@pytest.mark.slow
@LONG
def test_a_session_of_spark_connect_is_used_as_it_is(java, tmp_path):
    # Spark takes any free port when it is told that this is a test.
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CONNECTED, str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, check=False, env={**os.environ, "SPARK_TESTING": "1"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    found, told, zone = json.loads(run.stdout.splitlines()[-1])
    events = [make_event("p:1", 10, name="a"), make_event("p:1", 5, name="late"), make_event("p:2", 5, name="b")]
    assert [tuple(row) for row in found] == build_history(events, COLUMNS, THING.overwritten)
    assert told == [3, 0, True, ["thing", "thing_current", "thing_log"], True, 2]
    assert zone == "Asia/Tokyo"
