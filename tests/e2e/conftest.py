from __future__ import annotations

import os
import shutil
import uuid
from contextlib import ExitStack
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.e2e.builders import Service, Shop, create_shop
from tests.e2e.queue_fleet import Checkout, Machine, ToyService


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


@pytest.fixture(scope="session")
def first_run(tmp_path_factory):
    """A small project after its first run. The service, which is the same for each seed, is closed."""
    service = Service()
    try:
        project = create_shop(tmp_path_factory.mktemp("first_run") / "shop", service)
        assert project.run()["outcome"] == "succeeded"
    finally:
        service.close()
    return project


@pytest.fixture
def create_finished_shop(first_run):
    """Creates small projects after their first run of a new service, as copies of one that made this run."""

    def create(root, service):
        shutil.copytree(first_run.root, root)
        project = Shop(root)
        project.connect(service)
        return project

    return create


@pytest.fixture
def shop_after_run(tmp_path, service, create_finished_shop):
    """A small project after its first run."""
    return create_finished_shop(tmp_path / "shop", service)


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


@pytest.fixture(scope="session")
def postgres(engines):
    """The address of the Postgres server of the grid."""
    engines("postgres")
    return os.environ["DATABASE_URL"]


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


@pytest.fixture
def create_database(postgres):
    """Creates databases, and returns their addresses."""
    names = []

    def create():
        names.append(f"queue_{uuid.uuid4().hex[:12]}")
        with psycopg.connect(postgres, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {names[-1]}".encode())
        return urlunsplit(urlsplit(postgres)._replace(path=f"/{names[-1]}"))

    yield create
    with psycopg.connect(postgres, autocommit=True) as server:
        for name in names:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def create_queue_world(tmp_path, bucket, create_database):
    """Creates a service, a checkout that shares its ledger and warehouse, and one whose ledger and warehouse are its own."""
    with ExitStack() as stack:

        def create(count, **options):
            service = ToyService([f"t{number:02}" for number in range(count)], **options)
            stack.enter_context(service.serve())
            checkouts = []
            for name in ("first", "single"):
                url = create_database()
                places = {"ledger": url, "warehouse": url, "lake": f"{bucket}/{name}"}
                checkouts.append(Checkout(tmp_path / name, service, **places))
            return service, *checkouts

        yield create


@pytest.fixture
def start_machine():
    """Starts machines with a worker, and ends those that the test leaves."""
    machines = []

    def start(checkout, *words, **options):
        machines.append(Machine(checkout, *words, **options))
        return machines[-1]

    yield start
    for machine in machines:
        machine.kill()
