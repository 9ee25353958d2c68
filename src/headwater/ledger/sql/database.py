"""The database of a ledger: opens and upgrades it, runs transactions, and translates errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from headwater.clock import Clock, SystemClock, to_micros
from headwater.errors import StateError
from headwater.ledger.sql.backend import Backend
from headwater.ledger.sql.migrate import EMPTY, read_version, upgrade
from headwater.ledger.sql.postgres import SCHEMA, PostgresBackend, split_schema
from headwater.ledger.sql.queries import tenants
from headwater.ledger.sql.schema import HEAD
from headwater.ledger.sql.sqlite import SqliteBackend, has_file, resolve_path

_ALL = ""
"""What a writer locks that changes the tables themselves."""


class Database:
    """A database with a ledger of the current version."""

    def __init__(self, url: str, *, root: Path, clock: Clock | None) -> None:
        self._own_clock = clock
        self._clock = clock or SystemClock()
        self._url, self._backend = _choose_backend(_parse_url(url), root=root, clock=self._clock)
        self.where = _redact_url(self._url, self._backend.schema)
        self._write_lock = Lock()
        self._engine = self._open_engine()
        self._writer = self._engine.execution_options(writes=True)
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    def is_same(self, other: Database) -> bool:
        """Whether both are one ledger: the same schema of the same database."""
        return (self._url, self._backend.schema) == (other._url, other._backend.schema)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads one consistent state."""
        with self._translate_errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, tenant: str, *more: str) -> Iterator[Connection]:
        """A transaction that writes rows of these tenants.

        Writers of this process wait for each other here. Those of other processes wait in the database, in Postgres only
        if they write the same tenants.
        """
        with self._translate_errors(), self._write_lock, self._writer.begin() as connection:
            self._backend.lock(connection, (tenant, *more))
            yield connection

    @contextmanager
    def write_durably(self, tenant: str) -> Iterator[Connection]:
        """A transaction as in `write`, which a power failure does not undo once it is committed."""
        with (
            self._translate_errors(),
            self._write_lock,
            self._writer.connect() as connection,
            self._backend.commit_durably(connection),
            connection.begin(),
        ):
            self._backend.lock(connection, (tenant,))
            yield connection

    @contextmanager
    def write_alone(self) -> Iterator[Connection]:
        """A transaction that no other writer can run beside, of whatever tenant."""
        with self.write(_ALL) as connection:
            self._backend.lock_tables(connection)
            yield connection

    def restart_numbers(self, connection: Connection) -> None:
        """Let the next automatic number of each table follow the highest one, after rows were copied with theirs."""
        self._backend.restart_numbers(connection)

    def read_now(self, connection: Connection) -> int:
        """The time that all processes agree on: that of the server if there is one, otherwise that of this machine."""
        server_time = None if self._own_clock else self._backend.read_now(connection)
        return to_micros(self._clock.now()) if server_time is None else server_time

    def _open_engine(self) -> Engine:
        with self._translate_errors():
            try:
                return self._backend.open_engine(self._url)
            except ImportError as error:
                raise StateError(
                    "the driver of this ledger is not installed.",
                    where=self.where,
                    details=str(error),
                    hint=self._backend.driver_hint,
                ) from error

    def _migrate(self) -> None:
        with self.read() as connection:
            version = read_version(connection, where=self.where)
        with self._translate_errors():
            self._backend.configure(self._engine)
        if version != HEAD:
            with self.write(_ALL) as connection:
                if version == EMPTY:
                    self._backend.prepare(connection)
                upgrade(connection, where=self.where)
                cleaned = tenants.remove_clear_secrets(connection)
            if cleaned:
                with self._translate_errors():
                    self._backend.erase_freed_space(self._engine)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            details = str(getattr(error, "orig", None) or error)
            message, hint = next(
                ((message, hint) for sign, message, hint in self._backend.known_errors if sign in details),
                ("the ledger cannot be used.", ""),
            )
            raise StateError(message, where=self.where, details=details, hint=hint) from error


def has_database(url: str, *, root: Path) -> bool:
    """Whether the file of an SQLite ledger exists; True for any other database, and opening it shows."""
    return not url.startswith("sqlite:///") or has_file(url, root=root)


def _choose_backend(url: URL, *, root: Path, clock: Clock) -> tuple[URL, Backend]:
    """The URL for the driver, and what is special about its database."""
    where = _redact_url(url)
    match url.get_backend_name():
        case "sqlite":
            return resolve_path(url, root, where=where), SqliteBackend(clock)
        case "postgresql":
            driver_url, schema = split_schema(url, where=where)
            return driver_url, PostgresBackend(schema)
    raise StateError("no ledger can be kept in this database.", where=where, hint="use sqlite:///… or postgresql://…")


def _parse_url(url: str) -> URL:
    try:
        return make_url(url)
    except (SQLAlchemyError, ValueError) as error:
        # the text may hold a password, so it is not shown
        raise StateError(
            "the URL of the ledger is invalid.", where="ledger: url:", hint="e.g. sqlite:///.headwater/ledger.db"
        ) from error


def _redact_url(url: URL, schema: str = "") -> str:
    query = {"schema": schema} if schema not in ("", SCHEMA) else {}
    return url.set(query=query).render_as_string(hide_password=True)
