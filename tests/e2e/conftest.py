from __future__ import annotations

import uuid
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.e2e.builders import Service, create_shop
from tests.grid.postgres_server import postgres_server


@pytest.fixture
def service():
    """A small service for one test."""
    service = Service()
    yield service
    service.close()


@pytest.fixture
def small(tmp_path, service):
    """A small project that reads it."""
    return create_shop(tmp_path / "shop", service)


@pytest.fixture
def start_service():
    """Starts services with other options."""
    services = []

    def start(**options):
        services.append(Service(**options))
        return services[-1]

    yield start
    for service in services:
        service.close()


@pytest.fixture(scope="module")
def postgres():
    """The address of a Postgres server."""
    with postgres_server() as url:
        yield url


@pytest.fixture
def database(postgres, monkeypatch):
    """What `warehouse:` says of a database of one's own on that server."""
    name = f"e2e_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    parts = urlsplit(postgres)
    monkeypatch.setenv("E2E_URL", urlunsplit(parts._replace(path=f"/{name}")))
    yield {"kind": "postgres", "url": "env:E2E_URL"}
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["duckdb", "postgres", "files"])
def warehouse(request):
    """What `warehouse:` says, for each engine; None where nothing is said."""
    if request.param == "postgres":
        return request.getfixturevalue("database")
    return {"kind": "files", "url": ".headwater/tables"} if request.param == "files" else None
