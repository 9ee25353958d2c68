"""A queue in a schema of its own, on a real server."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from headwater.ledger.sql.server_address import find_server
from headwater.run.queue.connection import QueueConnection
from headwater.run.queue.job import Scope
from headwater.run.queue.queue import TenantQueue
from headwater.run.queue.schema import name_schema, prepare_schema
from headwater.run.queue.workers import WorkerRegister
from tests.grid.postgres_server import postgres_server

SCOPE = Scope(project="shop", environment="")
QUEUE = "shop@1"


@pytest.fixture(scope="session")
def server():
    """The address of a server."""
    with postgres_server() as url:
        yield url


@pytest.fixture
def address(server):
    """The address of a ledger whose queue does not exist yet."""
    schema = f"unit_{uuid.uuid4().hex[:12]}"
    yield find_server(f"{server}{'&' if '?' in server else '?'}schema={schema}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema}_queue CASCADE".encode())


@pytest.fixture
def queue(address):
    """An empty queue."""
    prepare_schema(address)
    connection = QueueConnection(address, schema=name_schema(address))
    yield TenantQueue(connection, SCOPE)
    connection.close()


@pytest.fixture
def register(queue):
    """The rows of its workers."""
    return WorkerRegister(queue.connection)
