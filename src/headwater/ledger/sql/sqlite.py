"""A ledger in an SQLite file.

SQLite uses WAL, so that readers never wait for the writer, and `synchronous=NORMAL`: committed data survives any crash
of the process. A power failure may lose the newest commits, but keeps their order. The next run then reads the lost
pages again, with the same batch ids and into the same files, and every later step is idempotent. A flush for each
commit (`FULL`) would save those few pages, but makes a first load take a third longer. Only what cannot be read again,
the token of a login, is flushed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from headwater.clock import Clock
from headwater.errors import StateError
from headwater.ledger.sql.backend import BUSY_TIMEOUT, KnownErrors

_RETRY = 0.02


class SqliteBackend:
    """SQLite: one file, and one writer at a time."""

    driver_hint = ""
    schema = ""
    known_errors: KnownErrors = (
        ("not a database", "the file is not a ledger.", "use another file, or restore a backup of the ledger"),
        ("malformed", "the ledger is damaged.", "restore a backup of the file; keep the damaged file until then"),
        ("full", "the disk is full; nothing was written to the ledger.", "free some space, then run again"),
        (
            "disk I/O",
            "the ledger cannot be read or written.",
            "check the disk and its free space; committed data is safe",
        ),
        ("locked", "the ledger is busy; nothing was written.", "wait until the other program finishes, then run again"),
        ("readonly", "the ledger cannot be written.", "check the permissions of the file and its folder"),
        ("read-only", "the ledger cannot be written.", "check the permissions of the file and its folder"),
        ("unable to open", "the ledger cannot be opened.", "check that the folder exists and is writable"),
    )

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def open_engine(self, url: URL) -> Engine:
        """Create the engine. Each connection waits for other writers, and begins its transactions at once."""
        engine = create_engine(url, hide_parameters=True)
        event.listen(engine, "connect", _prepare_connection)
        event.listen(engine, "begin", _begin)
        return engine

    def lock(self, connection: Connection, names: Sequence[str]) -> None:
        """Do nothing: a transaction that writes locks the file when it begins."""

    @contextmanager
    def commit_durably(self, connection: Connection) -> Iterator[None]:
        """Flush each commit of the block. Outside of a transaction, because SQLite cannot change this within one."""
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA synchronous = FULL")
        try:
            yield
        finally:
            cursor.execute("PRAGMA synchronous = NORMAL")
            cursor.close()

    def lock_tables(self, connection: Connection) -> None:
        """Do nothing: a transaction that writes has locked the file."""

    def restart_numbers(self, connection: Connection) -> None:
        """Do nothing: SQLite remembers the highest number that was inserted."""

    def prepare(self, connection: Connection) -> None:
        """Do nothing: the file is the ledger's own."""

    def configure(self, engine: Engine) -> None:
        """Switch to WAL, if the disk allows it.

        SQLite does not wait for other writers on this statement, so it is retried; repeating it changes nothing.
        """
        deadline = self._clock.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                with engine.connect() as connection:
                    connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
            except (sqlite3.OperationalError, OperationalError) as error:
                if "locked" not in str(error) or self._clock.monotonic() > deadline:
                    raise
                self._clock.sleep(_RETRY)
            else:
                return

    def erase_freed_space(self, engine: Engine) -> None:
        """Rewrite the file, because deleted data remains in free pages and in the write-ahead log."""
        with engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def read_now(self, connection: Connection) -> int | None:
        """None: the file is on this machine, and so is the clock."""


def has_file(url: str, *, root: Path) -> bool:
    """Whether the file of an SQLite database exists."""
    return (root / url.removeprefix("sqlite:///").partition("?")[0]).is_file()


def resolve_path(url: URL, root: Path, *, where: str) -> URL:
    """The URL with an absolute path, whose folder is created. StateError if that fails."""
    if not url.database or url.database == ":memory:":
        raise StateError(
            "a ledger in memory does not persist.", where=where, hint="e.g. sqlite:///.headwater/ledger.db"
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
