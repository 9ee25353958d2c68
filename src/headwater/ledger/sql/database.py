"""The database of a ledger: opens and upgrades it, runs transactions, and translates errors.

SQLite uses WAL, so that readers never wait for the writer, and `synchronous=NORMAL`: committed data survives any crash
of the process. A power failure may lose the newest commits, but keeps their order. The next run then reads the lost
pages again, with the same batch ids and into the same files, and every later step is idempotent. A flush for each
commit (`FULL`) would save those few pages, but makes a first load take a third longer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from headwater.clock import Clock
from headwater.errors import StateError
from headwater.ledger.sql.migrate import read_version, upgrade
from headwater.ledger.sql.queries import tenants
from headwater.ledger.sql.schema import HEAD

BUSY_TIMEOUT = 30.0
"""Seconds that a writer waits for another one."""

_KNOWN_ERRORS = (
    ("not a database", "the file is not a ledger.", "use another file, or restore a backup of the ledger"),
    ("malformed", "the ledger is damaged.", "restore a backup of the file; keep the damaged file until then"),
    ("full", "the disk is full; nothing was written to the ledger.", "free some space, then run again"),
    ("disk I/O", "the ledger cannot be read or written.", "check the disk and its free space; committed data is safe"),
    ("locked", "the ledger is busy; nothing was written.", "wait until the other program finishes, then run again"),
    ("readonly", "the ledger cannot be written.", "check the permissions of the file and its folder"),
    ("read-only", "the ledger cannot be written.", "check the permissions of the file and its folder"),
    ("unable to open", "the ledger cannot be opened.", "check that the folder exists and is writable"),
)


class Database:
    """A database with a ledger of the current version."""

    def __init__(self, url: str, *, root: Path, clock: Clock) -> None:
        self._clock = clock
        self._url = _parse_url(url, root=root)
        self.where = _redact_url(self._url)
        self._write_lock = Lock()
        self._engine = self._open_engine()
        self._writer = self._engine.execution_options(writes=True)
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads one consistent state."""
        with self._translate_errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes. Writers of this process wait for each other here, and for other processes in SQLite."""
        with self._translate_errors(), self._write_lock, self._writer.begin() as connection:
            yield connection

    def _open_engine(self) -> Engine:
        with self._translate_errors():
            try:
                engine = create_engine(self._url, hide_parameters=True)
            except ImportError as error:
                raise StateError(
                    "the driver of this ledger is not installed.", where=self.where, details=str(error)
                ) from error
        if self._url.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _prepare_connection)
            event.listen(engine, "begin", _begin)
        return engine

    def _migrate(self) -> None:
        with self.read() as connection:
            version = read_version(connection, where=self.where)
        if self._url.get_backend_name() == "sqlite":
            self._switch_to_wal()
        if version != HEAD:
            with self.write() as connection:
                upgrade(connection, where=self.where)
                cleaned = tenants.remove_clear_secrets(connection)
            if cleaned and self._url.get_backend_name() == "sqlite":
                self._erase_freed_pages()

    def _erase_freed_pages(self) -> None:
        # Deleted data remains in free pages and in the write-ahead log, so the file is rewritten without it
        with self._translate_errors(), self._engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _switch_to_wal(self) -> None:
        # SQLite does not wait for other writers on this statement, so we retry; repeating it changes nothing
        deadline = self._clock.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                with self._translate_errors(), self._engine.connect() as connection:
                    connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
            except StateError as error:
                if "locked" not in error.details or self._clock.monotonic() > deadline:
                    raise
                self._clock.sleep(0.02)
            else:
                return

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            details = str(getattr(error, "orig", None) or error)
            message, hint = next(
                ((message, hint) for sign, message, hint in _KNOWN_ERRORS if sign in details),
                ("the ledger cannot be used.", ""),
            )
            raise StateError(message, where=self.where, details=details, hint=hint) from error


def has_file(url: str, *, root: Path) -> bool:
    """Whether the file of an SQLite database exists; True for any other database."""
    path, sqlite = url.removeprefix("sqlite:///").partition("?")[0], url.startswith("sqlite:///")
    return not sqlite or (root / path).is_file()


def _parse_url(url: str, *, root: Path) -> URL:
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError) as error:
        # the text may hold a password, so it is not shown
        raise StateError(
            "the URL of the ledger is invalid.", where="ledger: url:", hint="e.g. sqlite:///.headwater/ledger.db"
        ) from error
    return _resolve_path(parsed, root) if parsed.get_backend_name() == "sqlite" else parsed


def _resolve_path(url: URL, root: Path) -> URL:
    if not url.database or url.database == ":memory:":
        raise StateError(
            "a ledger in memory does not persist.", where=_redact_url(url), hint="e.g. sqlite:///.headwater/ledger.db"
        )
    path = root / url.database
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            "the folder of the ledger cannot be created.",
            where=str(path.parent),
            details=error.strerror or str(error),
            hint="check the permissions of the folder, or set another `ledger: url:`",
        ) from error
    return url.set(database=str(path))


def _redact_url(url: URL) -> str:
    return url.set(query={}).render_as_string(hide_password=True)


def _prepare_connection(raw: Any, record: object) -> None:
    del record
    if not isinstance(raw, sqlite3.Connection):
        msg = f"a SQLite ledger needs the driver sqlite3, not {type(raw).__name__}"
        raise TypeError(msg)
    raw.isolation_level = None  # we send BEGIN ourselves: the driver would send it too late, after the first SELECT
    raw.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: Connection) -> None:
    # a writer locks at once: a transaction that reads first and then writes could only fail
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
