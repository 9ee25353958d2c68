"""What differs between the databases that can hold a ledger, as a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import URL, Connection, Engine

BUSY_TIMEOUT = 30.0
"""Seconds that a writer waits for another one."""

KnownErrors = tuple[tuple[str, str, str], ...]
"""A part of the database's text of an error, our message, and how to fix it."""


class Backend(Protocol):
    """One kind of database. It holds no connection."""

    known_errors: KnownErrors
    driver_hint: str
    """How to install the driver."""
    schema: str
    """The schema of the ledger; empty if the database is one ledger."""

    def open_engine(self, url: URL) -> Engine:
        """Create the engine, with its settings for each connection."""
        ...

    def lock(self, connection: Connection, names: Sequence[str]) -> None:
        """Let other writers of the same names wait until the transaction of `connection` ends."""
        ...

    def commit_durably(self, connection: Connection) -> AbstractContextManager[None]:
        """Let the commits of the block survive a power failure, too."""
        ...

    def lock_tables(self, connection: Connection) -> None:
        """Let all other writers wait until the transaction of `connection` ends."""
        ...

    def restart_numbers(self, connection: Connection) -> None:
        """Let the next automatic number of each table follow the highest one."""
        ...

    def prepare(self, connection: Connection) -> None:
        """Prepare an empty database for the tables of the ledger, in the transaction that creates them."""
        ...

    def configure(self, engine: Engine) -> None:
        """Choose settings that the database stores. Called when a ledger is opened, before the first write."""
        ...

    def erase_freed_space(self, engine: Engine) -> None:
        """Overwrite deleted data on the disk, where the database allows it."""
        ...

    def read_now(self, connection: Connection) -> int | None:
        """The time of the server in microseconds since 1970, or None if the database has no server."""
        ...
