"""What Postgres does beyond what every engine does: keys, guards, writers side by side, a server's own limits."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from headwater.errors import HeadwaterError, WarehouseError
from headwater.silver.merge.merge import merge
from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.history.oracle import build_history
from headwater.warehouse.base import Table, TableColumn
from headwater.warehouse.postgres.compat import CHECKS
from headwater.warehouse.postgres.engine import Postgres
from headwater.warehouse.postgres.settings import PostgresWarehouse
from tests.gold import builders as star
from tests.silver.builders import COLUMNS, THING, make_event, merge_events, open_on_engine, read_versions, stage_events
from tests.silver.merge.test_crash import make_first_events, make_next_events
from tests.silver.schema.test_migrate import change_entity

pytestmark = pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="module")

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "postgres.md"

OLD_GUARD = "EXCLUDE USING gist (entity_key WITH =, tsrange(valid_from, valid_to) WITH &&)"

SCRIPT = """
import os, sys
from headwater.warehouse.postgres.engine import Postgres
from headwater.warehouse.postgres.compat import CHECKS
from tests.silver.builders import merge_events
from tests.silver.merge.test_crash import make_next_events
warehouse = Postgres(sys.argv[1], os.environ["DATABASE_URL"])
print("open", flush=True)
merge_events(warehouse, make_next_events())
warehouse.close()
"""


def url():
    return os.environ["DATABASE_URL"]


@pytest.fixture(params=[True, False], ids=["btree_gist", "no extension"])
def guard(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(Postgres, "_has_gist", lambda self: False)
        monkeypatch.setattr(Postgres, "_install_gist", lambda self: None)
    return "gist" if request.param else "spgist"


def insert_overlapping(warehouse, first, last):
    """Put a further version of each thing beside what there is, by hand."""
    warehouse.execute(
        "INSERT INTO silver.thing (entity_key, valid_from, valid_to, is_current, version_number) "
        f"SELECT entity_key, {first}, {last}, FALSE, 7 FROM silver.thing WHERE version_number = 1"
    )


def test_versions_that_overlap_are_refused_by_the_table_itself(engine, guard):
    warehouse = open_on_engine(engine)
    merge_events(warehouse, [make_event("p:1", 10, name="a")])
    merge_events(warehouse, [make_event("p:1", 20, name="b"), make_event("p:2", 10, name="a")])
    micro = "INTERVAL '1' MICROSECOND"
    for first, last in (
        ("valid_from", "valid_to"),
        (f"valid_from - {micro}", f"valid_from + {micro}"),
        (f"valid_from + {micro}", f"valid_from + {micro} + {micro}"),
        ("TIMESTAMP '0001-01-01'", "TIMESTAMP '9999-12-31'"),
    ):
        with pytest.raises(WarehouseError, match="overlap"):
            insert_overlapping(warehouse, first, last)
    assert len(read_versions(warehouse)) == 3
    insert_overlapping(warehouse, "TIMESTAMP '0001-01-01'", "valid_from")
    assert len(read_versions(warehouse)) == 5


def test_every_table_of_spans_is_guarded_whoever_made_it(engine, guard):
    star.chosen.append(engine)
    try:
        warehouse = star.open_warehouse()
        star.build_star(warehouse)
    finally:
        star.chosen.pop()
    migrate_tables(engine.open(warehouse.tenant), THING)
    found = guards(warehouse)
    assert {"thing", "dim_company"} <= set(found)
    assert all(text.startswith(f"EXCLUDE USING {guard} ") for _, text in found.values())


def guards(warehouse):
    """The exclusion constraint of each table that has one: its name, and what it says."""
    with psycopg.connect(url()) as connection:
        found = connection.execute(
            "SELECT t.relname::text, k.conname::text, pg_get_constraintdef(k.oid) FROM pg_constraint AS k "
            "JOIN pg_class AS t ON t.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = t.relnamespace "
            "WHERE k.contype = 'x' AND n.nspname = ANY (%s)",
            ([f"{warehouse.tenant}_{layer}" for layer in ("silver", "gold")],),
        ).fetchall()
    return {table: (name, text) for table, name, text in found}


def with_old_guard(engine):
    """A warehouse whose versions are guarded as an earlier version did it."""
    warehouse = open_on_engine(engine)
    merge_events(warehouse, [make_event("p:1", 10, name="a")])
    ref = warehouse.own_ref("silver", "thing")
    warehouse.execute_own(f'ALTER TABLE {ref} DROP CONSTRAINT "{guards(warehouse)["thing"][0]}", ADD {OLD_GUARD}')
    return warehouse, ref


def test_a_table_guarded_as_it_once_was_goes_on_working(engine):
    warehouse, _ = with_old_guard(engine)
    migrate_tables(warehouse, change_entity(size={"type": "double"}))
    merge_events(warehouse, [make_event("p:1", 20, name="b")])
    assert [row[2] for row in read_versions(warehouse)] == ["a", "b"]
    with pytest.raises(WarehouseError, match="overlap"):
        insert_overlapping(warehouse, "valid_from", "valid_to")


def test_the_guard_of_an_older_table_is_exchanged_as_the_guide_says(engine):
    warehouse, ref = with_old_guard(engine)
    (told,) = (
        part for part in GUIDE.read_text().split("```sql\n") if part.startswith("ALTER TABLE acme_silver.company")
    )
    statement = told.partition(";")[0].replace("acme_silver.company", ref)
    warehouse.execute_own(statement.replace("company_", "thing_"))
    assert guards(warehouse)["thing"][1] == guards(open_on_engine(engine))["thing"][1]


def test_gold_declares_primary_and_foreign_keys(engine):
    star.chosen.append(engine)
    try:
        warehouse = star.open_warehouse()
        star.build_star(warehouse)
    finally:
        star.chosen.pop()
    schema = f"{warehouse.tenant}_gold"
    with psycopg.connect(url()) as connection:
        found = connection.execute(
            "SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = %s::regnamespace AND contype IN ('p', 'u', 'f')",
            (f'"{schema}"',),
        ).fetchall()
        server = connection.info.server_version
    keys = {(table.rpartition(".")[2], text) for table, kind, text in found if kind == "p"}
    assert ("dim_company", "PRIMARY KEY (company_key)") in keys
    assert ("dim_date", "PRIMARY KEY (date_key)") in keys
    assert ("fact_entry", "PRIMARY KEY (entity_key, entry_id) DEFERRABLE INITIALLY DEFERRED") in keys
    pointing = {text for table, kind, text in found if kind == "f" and table.endswith("fact_entry")}
    if server >= 180000:
        assert len(pointing) == 7
        assert all(text.endswith("NOT ENFORCED") for text in pointing)


def test_a_name_that_the_server_would_cut_is_refused(engine):
    warehouse = open_on_engine(engine)
    wide = TableColumn(name="n" * 64, dtype="text")
    with pytest.raises(WarehouseError, match="longer than Postgres allows"):
        warehouse.ensure(Table(layer="gold", name="dim_x", columns=(wide,)))


def test_text_is_compared_byte_by_byte(engine):
    warehouse = open_on_engine(engine)
    words = ["a", "B", "á", "Z", "_", "b"]
    merge_events(warehouse, [make_event(f"p:{word}", 1, name=word) for word in words])
    found = [row[0] for row in warehouse.rows("SELECT name FROM silver.thing ORDER BY name")]
    assert found == sorted(words, key=str.encode)


def test_a_query_means_the_tenants_own_schemas_and_no_other(engine):
    warehouse = open_on_engine(engine)
    merge_events(warehouse, [make_event("p:1", 10, name="it's silver.thing")])
    answer = warehouse.answer_arrow(
        "SELECT t.name, silver.thing.size FROM silver.thing, Silver.thing AS t -- silver.thing"
    )
    assert answer.to_pylist() == [{"name": "it's silver.thing", "size": None}]
    other = open_on_engine(engine)
    with pytest.raises(WarehouseError, match="only its own tenant"):
        warehouse.answer_arrow(f'SELECT * FROM "{other.tenant}_silver".thing')


def test_a_warehouse_opened_for_looking_changes_nothing(engine):
    warehouse = open_on_engine(engine)
    looking = engine.open(warehouse.tenant, read_only=True)
    for statement in ("DELETE FROM silver.thing", "CREATE TABLE gold.x (a INTEGER)"):
        with pytest.raises(WarehouseError, match="refused a statement"):
            looking.execute(statement)
    assert looking.rows("SELECT * FROM silver.thing") == []


def test_two_writers_at_once_lose_nothing_and_overlap_nowhere(engine):
    warehouse = open_on_engine(engine)
    events = [
        [make_event(f"p:{key}", 10 * at + half, name=f"{at}") for key in range(5) for at in range(1, 9)]
        for half in (0, 5)
    ]
    failed = []

    def write(own):
        try:
            writer = engine.open(warehouse.tenant)
            for start in range(0, len(own), 7):
                merge_events(writer, own[start : start + 7])
        except HeadwaterError as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(own,)) for own in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert read_versions(warehouse) == build_history([*events[0], *events[1]], COLUMNS, THING.overwritten)


def test_a_writer_waits_for_the_transaction_of_another(engine):
    one = open_on_engine(engine)
    other, order = engine.open(one.tenant), []
    with one.transaction():
        merge_events(one, [make_event("p:1", 10, name="a")])
        waiting = threading.Thread(
            target=lambda: (merge_events(other, [make_event("p:1", 20, name="b")]), order.append("other"))
        )
        waiting.start()
        time.sleep(0.3)
        order.append("one")
    waiting.join()
    assert order == ["one", "other"]
    assert [row[2] for row in read_versions(one)] == ["a", "b"]


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_ends_in_the_same_history(engine):
    warehouse = open_on_engine(engine)
    merge_events(warehouse, make_first_events())
    start, wanted = (
        read_versions(warehouse),
        build_history([*make_first_events(), *make_next_events()], COLUMNS, THING.overwritten),
    )
    chance, finished = random.Random(7), 0
    for _ in range(8):
        run = subprocess.Popen([sys.executable, "-c", SCRIPT, warehouse.tenant], stdout=subprocess.PIPE, text=True)
        assert run.stdout.readline() == "open\n"
        time.sleep(chance.uniform(0, 0.4))
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
        with warehouse.transaction():  # waits until the server has undone what was cut short
            found = read_versions(warehouse)
        assert found in (start, wanted)
        finished += found == wanted
    merge_events(warehouse, make_next_events())
    assert read_versions(warehouse) == wanted
    print(f"{finished} of 8 had committed before they were killed")


def test_a_session_that_the_server_ends_leaves_nothing_half_done(engine):
    warehouse = open_on_engine(engine)
    merge_events(warehouse, [make_event("p:1", 10, name="a")])
    relation = stage_events(warehouse, [make_event("p:1", 20, name="b")])
    run = warehouse._run

    def end_session(text, parameters=()):
        if text.startswith("DELETE"):
            with psycopg.connect(url(), autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", (warehouse._connection.info.backend_pid,))
        return run(text, parameters)

    warehouse._run = end_session
    with pytest.raises(WarehouseError):
        merge(warehouse, THING, relation)
    again = engine.open(warehouse.tenant)
    assert [row[2] for row in read_versions(again)] == ["a"]
    merge_events(again, [make_event("p:1", 20, name="b")])
    assert [row[2] for row in read_versions(again)] == ["a", "b"]


def test_a_column_that_a_view_shows_can_be_widened(engine):
    warehouse = open_on_engine(engine)
    merge_events(warehouse, [make_event("p:1", 10, size=3)])
    migrate_tables(warehouse, change_entity(size={"type": "double"}))
    assert warehouse.rows("SELECT size FROM silver.thing_current") == [(3.0,)]


def test_erasing_takes_the_schemas_and_leaves_those_of_others(engine):
    warehouse, other = open_on_engine(engine), open_on_engine(engine)
    warehouse.erase()
    assert engine.open(warehouse.tenant).tables("silver") == ()
    assert "thing" in other.tables("silver")


def test_a_server_that_is_not_there_is_told_without_its_password(engine):
    with pytest.raises(WarehouseError) as caught:
        Postgres("acme", "postgresql://user:hidden@127.0.0.1:1/nowhere")
    assert "hidden" not in str(caught.value)
    assert "127.0.0.1:1" in caught.value.where


def test_a_declaration_holds_no_password(engine):
    with pytest.raises(ValueError, match="must not contain a password"):
        PostgresWarehouse(kind="postgres", url="postgresql://me:secret@host/db")
    settings = PostgresWarehouse(kind="postgres", url="env:DATABASE_URL")
    assert settings.describe("acme") == "postgres, schemas acme_silver and acme_gold"


def test_an_older_server_is_asked_in_its_own_words(engine, monkeypatch):
    warehouse = engine.open()
    warehouse.execute_own(CHECKS)
    monkeypatch.setattr(
        warehouse, "_replacements", (("PG_INPUT_IS_VALID(", "pg_temp.input_is_valid("), *warehouse._replacements)
    )
    asked = "SELECT TRY_CAST('12' AS BIGINT), TRY_CAST('x' AS BIGINT), TRY_CAST('2026-02-30' AS DATE), LOWER('ÞÉ')"
    assert warehouse.rows(asked) == [(12, None, None, "þé")]
