"""What is special about a ledger on Postgres."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from headwater.clock import SystemClock
from headwater.errors import StateError
from headwater.events import Finding
from headwater.ledger.records import RunOutcome
from headwater.ledger.sql.ledger import SqlLedger
from headwater.ledger.sql.schema import VERSION_TABLE, metadata
from tests.ledger.builders import extract_batch, make_batch, make_feed


def _read_schema(url: str) -> str:
    return url.rpartition("schema=")[2]


def test_the_migrations_make_exactly_the_declared_tables(postgres_url: str, tmp_path: Path) -> None:
    with closing(SqlLedger(postgres_url, root=tmp_path)) as ledger, ledger._database.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_ledger_has_a_schema_of_its_own_beside_the_tables_of_others(
    server: str, postgres_url: str, tmp_path: Path
) -> None:
    other = f"{postgres_url}_b"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE TABLE IF NOT EXISTS public."batch_{_read_schema(postgres_url)}" (id int)'.encode())
    with closing(SqlLedger(postgres_url)) as first, closing(SqlLedger(other)) as second:
        extract_batch(first, make_batch())
        assert len(first.list_windows(make_feed())) == 1
        assert second.list_windows(make_feed()) == ()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {_read_schema(other)} CASCADE".encode())
        connection.execute(f'DROP TABLE public."batch_{_read_schema(postgres_url)}"'.encode())


def test_a_schema_of_somebody_else_is_left_alone(server: str, postgres_url: str) -> None:
    schema = _read_schema(postgres_url)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.orders (id int)".encode())
        with pytest.raises(StateError, match="not a Headwater ledger") as caught:
            SqlLedger(postgres_url)
        assert caught.value.details == "tables orders"
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema]).fetchall()
    assert names == [("orders",)]


def test_text_that_postgres_cannot_store_or_index_is_kept(ledger: SqlLedger) -> None:
    detail = "\x00 and \x1b0 " + "".join(chr(33 + (number * number * 7919 + number) % 90) for number in range(20_000))
    finding = Finding(table="dim_a", finding="unmatched_value", count=1, detail=detail)
    ledger.save_findings("acme", "dim_a", [finding])
    ledger.begin_batch(make_batch(), parents=["a\x00b", "a\x1b0b"])
    ledger.commit_window(make_batch())
    assert ledger.list_findings("acme") == (finding,)
    assert set(ledger.list_windows_by_parent(make_feed())) == {"a\x00b", "a\x1b0b"}


def test_the_clock_of_the_server_decides_about_leases(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(SqlLedger(postgres_url)) as ledger:
        held = ledger.claim("acme", "run", "far-away:4711:b-s-1-x", seconds=60)
        monkeypatch.setattr(SystemClock, "now", lambda self: datetime.now(UTC) + timedelta(hours=2))
        # The clock of this machine is two hours fast. It does not take the lease of a machine whose clock is right.
        with pytest.raises(StateError, match="another run"):
            ledger.claim("acme", "run", "far-away:4712:b-s-1-x", seconds=60)
        assert ledger.list_leases("acme") == (held,)


def test_connections_that_the_server_closed_are_replaced(server: str, postgres_url: str) -> None:
    with closing(SqlLedger(postgres_url)) as ledger:
        ledger.set_mark("acme", "a", "1")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        assert ledger.get_mark("acme", "a") == "1"


def test_a_server_that_is_not_there_is_a_state_error_without_the_password() -> None:
    with pytest.raises(StateError, match="cannot be reached") as caught:
        SqlLedger("postgresql://headwater:hunter2@127.0.0.1:1/ledger")
    assert "hunter2" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("schema", ["a b", "A", "x;drop", "1a"])
def test_a_schema_must_be_a_name(schema: str) -> None:
    with pytest.raises(StateError, match="schema of the ledger"):
        SqlLedger(f"postgresql://127.0.0.1:1/ledger?schema={schema}")


def test_another_database_is_refused() -> None:
    with pytest.raises(StateError, match="no ledger can be kept in this database"):
        SqlLedger("mysql://127.0.0.1/ledger")


def test_runs_are_recorded_in_the_time_of_the_server(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = SystemClock().now
    monkeypatch.setattr(SystemClock, "now", lambda _: real() + timedelta(hours=3))
    with closing(SqlLedger(postgres_url)) as ledger:
        ledger.start_run("acme", "one")
        ledger.end_run("acme", "one", outcome=RunOutcome.SUCCEEDED, counts={})
        (run,) = ledger.list_runs("acme")
        assert run.ended_at is not None
        for at in (run.started_at, run.ended_at, ledger.list_last_successes()["acme"]):
            assert abs(real() - at) < timedelta(minutes=1)
