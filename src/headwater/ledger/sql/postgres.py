"""A ledger in a schema of a Postgres database.

Writers of one tenant take turns, with an advisory lock for the transaction. Without it, two processes could read the same
state and both write what follows from it. Writers of different tenants do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from headwater.errors import StateError
from headwater.ledger.sql.backend import BUSY_TIMEOUT, KnownErrors
from headwater.ledger.sql.schema import metadata
from headwater.names import check_name, quote

SCHEMA = "headwater"
"""The schema of a ledger whose URL names none."""

_CONNECTIONS = 3
"""The most connections of one process: a writer, and readers. Twenty processes fit into the default of a server."""

_IDLE_TIMEOUT = 60_000
"""Milliseconds after which the server ends the transaction of a process that stands still, so that it blocks nobody."""


class PostgresBackend:
    """Postgres: a schema in a database."""

    driver_hint = 'pip install "headwater[postgres]"'
    known_errors: KnownErrors = (
        (
            "text fields cannot contain NUL",
            "Postgres stores no text with the character NUL.",
            "report a bug: the ledger must replace it",
        ),
        (
            "lock timeout",
            "the ledger is busy; nothing was written.",
            "check for a process that stands still, then run again",
        ),
        (
            "idle-in-transaction timeout",
            "this process stood still for too long; nothing was written.",
            "run again; committed data is safe",
        ),
        (
            "permission denied",
            "this user may not use the ledger.",
            "see the guide to a ledger on Postgres for the rights",
        ),
        ("too many", "the server accepts no more connections.", "raise `max_connections`, or run fewer processes"),
        (
            "connection failed",
            "the server of the ledger cannot be reached.",
            "check that the server is running, the address is correct, and this user can connect",
        ),
        (
            "server closed the connection",
            "the server of the ledger closed the connection.",
            "run again when the server is back; committed data is safe",
        ),
        (
            "terminating connection",
            "the server of the ledger closed the connection.",
            "run again when the server is back; committed data is safe",
        ),
    )

    def __init__(self, schema: str) -> None:
        self.schema = schema

    def open_engine(self, url: URL) -> Engine:
        """Create the engine. A reader sees one state of the ledger for its whole transaction."""
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_pre_ping=True,  # the server or a firewall closes connections that a long-lived process keeps
            connect_args={"connect_timeout": 10, "application_name": "headwater", **url.query},
        )
        event.listen(engine, "connect", self._prepare_connection)
        event.listen(engine, "begin", _begin)
        return engine

    def lock(self, connection: Connection, names: Sequence[str]) -> None:
        """Lock the names until the end of the transaction, in one order, so that no two writers wait for each other."""
        query = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
        for name in sorted(set(names)):
            connection.execute(query, {"name": f"headwater ledger {self.schema}/{name}"})

    def commit_durably(self, connection: Connection) -> AbstractContextManager[None]:
        """Do nothing: the server flushes each commit."""
        del connection
        return nullcontext()

    def lock_tables(self, connection: Connection) -> None:
        """Lock all tables for writers. Readers go on."""
        names = ", ".join(quote(table.name) for table in metadata.sorted_tables)
        connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))

    def restart_numbers(self, connection: Connection) -> None:
        """Set the sequences, which an insert with a number does not advance."""
        for table in metadata.sorted_tables:
            if "ordinal" in table.primary_key.columns:
                newest = f"(SELECT max(ordinal) FROM {quote(table.name)})"
                sequence = f"pg_get_serial_sequence('{table.name}', 'ordinal')"
                connection.execute(text(f"SELECT setval({sequence}, {newest}) WHERE {newest} IS NOT NULL"))

    def prepare(self, connection: Connection) -> None:
        """Create the schema. If it exists, the user needs no right to create one."""
        if connection.execute(text("SELECT to_regnamespace(:name)"), {"name": quote(self.schema)}).scalar() is None:
            connection.execute(text(f"CREATE SCHEMA {quote(self.schema)}"))

    def configure(self, engine: Engine) -> None:
        """Do nothing: all settings belong to a connection."""

    def erase_freed_space(self, engine: Engine) -> None:
        """Do nothing: only the server decides when it overwrites freed space."""

    def read_now(self, connection: Connection) -> int | None:
        """The time of the server. The clocks of several machines differ, so only this one decides about leases."""
        query = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")
        return int(connection.execute(query).scalar_one())

    def _prepare_connection(self, raw: Any, record: object) -> None:
        del record
        settings = (
            f"SET search_path TO {quote(self.schema)}",
            f"SET lock_timeout TO {int(BUSY_TIMEOUT * 1000)}",
            f"SET idle_in_transaction_session_timeout TO {_IDLE_TIMEOUT}",
            "SET TIME ZONE 'UTC'",
        )
        raw.autocommit = True
        raw.execute("; ".join(settings))
        raw.autocommit = False


def split_schema(url: URL, *, where: str) -> tuple[URL, str]:
    """The URL for the driver, and the schema of the ledger, which `?schema=` names. StateError if it is no name."""
    schema = url.query.get("schema", SCHEMA)
    try:
        name = check_name(schema if isinstance(schema, str) else " ".join(schema))
    except ValueError as error:
        raise StateError(
            "the schema of the ledger is invalid.", where=where, details=str(error), hint="e.g. ?schema=headwater"
        ) from error
    return url.set(drivername="postgresql+psycopg").difference_update_query(["schema"]), name


def _begin(connection: Connection) -> None:
    # Without a snapshot for the whole transaction, a reader of several statements could see two states. A writer takes
    # its snapshot anew for each statement: it must see what was written while it waited for the lock.
    if not connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
