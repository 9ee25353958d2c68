"""The connection to the database of a queue. It reconnects after a restart of the server."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
from procrastinate import SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from psycopg.rows import DictRow, dict_row

from headwater.errors import StateError
from headwater.ledger.sql.postgres import PostgresBackend
from headwater.ledger.sql.server_address import ServerAddress
from headwater.names import quote

QueueTransaction = psycopg.Connection[DictRow]
"""A connection inside a transaction."""

_OPTIONS: Final[Mapping[str, Any]] = {
    "connect_timeout": 10,
    "application_name": "headwater queue",
    # A network that drops packets without a word must not stop a worker for ever.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_SETTINGS = ("SET lock_timeout TO 30000", "SET idle_in_transaction_session_timeout TO 60000", "SET TIME ZONE 'UTC'")
_KNOWN_ERRORS = (
    (
        "couldn't get a connection",
        "the server of the queue cannot be reached.",
        "check that the server of the ledger is running; a worker tries again by itself",
    ),
    *PostgresBackend.known_errors,
)
_WAIT = 5.0
"""Seconds to wait for a connection while the server is away."""


class QueueConnection:
    """A few connections to the database of a queue, for several threads."""

    def __init__(self, address: ServerAddress, *, schema: str) -> None:
        self.where = address.where
        self._schema = schema
        # It logs each failed attempt to connect. The errors of transactions say enough.
        logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
        self._connector = SyncPsycopgConnector(
            conninfo=address.url,
            kwargs={**_OPTIONS, "row_factory": dict_row},
            configure=self._configure,
            min_size=1,
            max_size=3,
            timeout=_WAIT,
        )
        self.jobs = JobManager(self._connector)
        """Procrastinate's functions. Give them the connection of a transaction."""
        with translate_errors(self.where):
            self._connector.open()

    def close(self) -> None:
        """Close the connections."""
        self._connector.close()

    @contextmanager
    def transaction(self) -> Iterator[QueueTransaction]:
        """A transaction. StateError if the database cannot be used; then nothing was written."""
        with translate_errors(self.where), self._connector.pool.connection() as connection:
            yield cast("QueueTransaction", connection)

    def _configure(self, connection: psycopg.Connection[Any]) -> None:
        set_search_path(connection, self._schema)
        connection.commit()


@contextmanager
def connect_once(address: ServerAddress) -> Iterator[QueueTransaction]:
    """One transaction on a connection of its own. StateError if the database cannot be used."""
    with (
        translate_errors(address.where),
        psycopg.connect(address.url, row_factory=dict_row, **_OPTIONS) as connection,
    ):
        yield connection


def set_search_path(connection: psycopg.Connection[Any], schema: str) -> None:
    """Let names without a schema mean those of `schema`, on this connection."""
    for setting in (f"SET search_path TO {quote(schema)}", *_SETTINGS):
        connection.execute(setting.encode())


@contextmanager
def translate_errors(where: str) -> Iterator[None]:
    """Raise errors of the database as StateError."""
    try:
        yield
    except (psycopg.Error, ConnectorException) as error:
        details = str(error.__cause__ or error) if isinstance(error, ConnectorException) else str(error)
        message, hint = next(
            ((message, hint) for sign, message, hint in _KNOWN_ERRORS if sign in details),
            ("the queue cannot be used.", "check the server of the ledger"),
        )
        message = message.replace("the ledger", "the queue")
        raise StateError(message, where=where, details=details.strip(), hint=hint) from error
