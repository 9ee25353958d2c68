"""A queue in a schema of its own, on a real server."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from headwater.ledger.queue.connection import QueueConnection
from headwater.ledger.queue.queue import TenantQueue
from headwater.ledger.queue.records import Scope
from headwater.ledger.queue.schema import name_schema, prepare_schema
from headwater.ledger.queue.workers import WorkerRegister
from headwater.ledger.sql.server_address import find_server

SCOPE = Scope(project="shop", environment="")
QUEUE = "shop@1"


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
