"""The queue: workers on several machines run the tenants of one project, and nothing is lost or done twice."""

from __future__ import annotations

import os
import signal
import uuid
from contextlib import ExitStack
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.e2e.queue_fleet import Checkout, Machine, ToyService, wait_until


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
def create_world(tmp_path, bucket, create_database):
    """Creates a service, a checkout that shares its ledger and warehouse, and one whose ledger and warehouse are its own."""
    with ExitStack() as stack:

        def create(count, **options):
            service = ToyService([f"t{number:02}" for number in range(count)], **options)
            stack.enter_context(service.serve())
            checkouts = []
            for name in ("first", "alone"):
                url = create_database()
                places = {"ledger": url, "warehouse": url, "lake": f"{bucket}/{name}"}
                checkouts.append(Checkout(tmp_path / name, service, **places))
            return service, *checkouts

        yield create


def test_two_checkouts_end_where_one_process_does(create_world, tmp_path):
    service, first, alone = create_world(4)
    queued = first("run", "--all", "--queue").json
    assert queued == {"queued": ["t00", "t01", "t02", "t03"], "waiting": []}
    again = first.copy(tmp_path / "second")
    assert again("run", "--all", "--queue").json == {"queued": [], "waiting": ["t00", "t01", "t02", "t03"]}
    machines = [Machine(one, "--jobs", 1, "--until-empty") for one in (first, again)]
    reports = [machine.process.communicate(timeout=120) for machine in machines]
    print(reports, *(machine.read_log() for machine in machines))
    alone("run", "--all", "--jobs", 1)
    assert first.read_rows() == alone.read_rows()
    assert len(first.read_rows()["t00_silver.item"]) == 19
