"""Ledgers for tests: SQLite in a file, and Postgres in a schema of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from headwater.ledger.sql.ledger import SqlLedger
from tests.grid.postgres_server import postgres_server
from tests.ledger.builders import Hands


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a Postgres server."""
    with postgres_server() as url:
        yield url


@contextmanager
def create_schema_url(server: str) -> Iterator[str]:
    """The URL of a ledger in a schema that does not exist yet, and is dropped at the end."""
    schema = f"ledger_{uuid.uuid4().hex[:12]}"
    yield f"{server}{'&' if '?' in server else '?'}schema={schema}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())


@pytest.fixture
def postgres_url(server: str) -> Iterator[str]:
    """The URL of a ledger on Postgres that does not exist yet."""
    with create_schema_url(server) as url:
        yield url


@pytest.fixture
def other_postgres_url(server: str) -> Iterator[str]:
    """The URL of a second ledger in the same database."""
    with create_schema_url(server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """The URL of a ledger that does not exist yet, of each kind."""
    return "sqlite:///ledger.db" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def ledger(tmp_path: Path, ledger_url: str, hands: Hands) -> Iterator[SqlLedger]:
    ledger = SqlLedger(ledger_url, root=tmp_path, clock=hands)
    yield ledger
    ledger.close()
