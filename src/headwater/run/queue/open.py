"""Opens the queue of a project: in the database of its ledger, which must be on Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from headwater.errors import DeclarationError, StateError
from headwater.ledger.queue.connection import QueueConnection
from headwater.ledger.queue.queue import TenantQueue
from headwater.ledger.queue.records import Scope
from headwater.ledger.queue.schema import has_schema, name_schema, prepare_schema
from headwater.ledger.sql.server_address import ServerAddress, find_server
from headwater.run.workspace import Workspace


@contextmanager
def open_queue(workspace: Workspace, *, environment: str, create: bool) -> Iterator[TenantQueue]:
    """Open the queue until the block ends. DeclarationError if the ledger cannot hold one; StateError if there is none.

    With `create`, it is created or upgraded if needed.
    """
    address = _find_address(workspace)
    if not create and not has_schema(address):
        raise StateError(
            "this project has no queue yet.",
            where=f"{address.where} schema {name_schema(address)}",
            hint="`headwater run --all --queue` creates it, and puts the tenants that are due",
        )
    # The ledger comes first: a project of a newer version must not get a queue of an older one.
    workspace.ledger.list_tenants()
    prepare_schema(address)
    connection = QueueConnection(address, schema=name_schema(address))
    try:
        yield TenantQueue(connection, Scope(project=workspace.project.name, environment=environment))
    finally:
        connection.close()


def _find_address(workspace: Workspace) -> ServerAddress:
    address = find_server(workspace.resolve_ledger_url())
    if address is None:
        raise DeclarationError(
            "A queue needs a ledger on Postgres.",
            where=workspace.project.origin.find_location("ledger", "url"),
            details=workspace.project.ledger.url,
            hint="`headwater ledger move --to env:LEDGER_URL` moves it there; without it, use `run --all` on one machine",
        )
    return address
