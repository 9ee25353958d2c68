"""A tenant's session in Redshift: statements run, transactions that wait for each other, temporary tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from headwater.errors import WarehouseError
from headwater.names import quote
from headwater.warehouse.redshift.connection import SETTINGS, Connection, Cursor, to_warehouse_error
from headwater.warehouse.redshift.ddl import WRITER


class RedshiftSession:
    """What the verbs of the warehouse are said by. It speaks Redshift's own dialect."""

    def __init__(self, connection: Connection, *, meta: str, where: str, read_only: bool) -> None:
        self._connection = connection
        self._meta, self._where, self._read_only = meta, where, read_only
        self._depth, self._lockable = 0, False
        self._staged: dict[str, None] = {}
        for setting in SETTINGS:
            self._execute(setting)

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Run a statement; its cursor. A session that only looks can do nothing else."""
        if not self._read_only:
            return self._execute(statement, parameters)
        self._execute("BEGIN READ ONLY")
        try:
            return self._execute(statement, parameters)
        finally:
            self._execute("ROLLBACK")

    def write(self, statement: str) -> int:
        """Run a statement; rows it wrote."""
        cursor = self.run(statement)
        if cursor.rowcount < 0:
            raise WarehouseError(
                "the warehouse does not report how many rows it wrote",
                where=self._where,
                details=str(cursor.statusmessage),
            )
        return cursor.rowcount

    def _execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        try:
            cursor: Cursor = self._connection.execute(statement.encode(), list(parameters) or None)
        except psycopg.Error as error:
            raise to_warehouse_error(error, self._where, statement) from error
        return cursor

    def prepare(self) -> None:
        """Make the table that writers of the tenant lock."""
        self.run(f"CREATE SCHEMA IF NOT EXISTS {quote(self._meta)}")
        self.run(f"CREATE TABLE IF NOT EXISTS {self._lock} (nothing BOOLEAN)")
        self._lockable = True

    @property
    def _lock(self) -> str:
        return f"{quote(self._meta)}.{quote(WRITER)}"

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside commit together, or none does. One inside another is part of the outer one.

        The lock is what it begins with: Redshift takes the snapshot that a transaction reads at the first statement
        that looks at data, so that all is seen that those before it have done.
        """
        if self._depth == 0:
            if not self._lockable:
                self.prepare()
            self.run("BEGIN")
        self._depth += 1
        try:
            if self._depth == 1:
                self.run(f"LOCK TABLE {self._lock}")
            yield
            if self._depth == 1:
                self.run("COMMIT")
        except BaseException:
            if self._depth == 1:
                self._roll_back()
            raise
        finally:
            self._depth -= 1

    def _roll_back(self) -> None:
        staged, self._staged = tuple(self._staged), {}
        self._lockable = False
        with suppress(WarehouseError):  # a session that is lost has undone everything already
            self._execute("ROLLBACK")
            for name in staged:
                self._execute(f"DROP TABLE IF EXISTS {quote(name)}")

    def stage(self, name: str, making: str) -> str:
        """Make a temporary table by `making` (with `{}` for its quoted name); that name.

        An earlier one of the name goes, which may be read by `making`: the rows then pass through another table, as
        Redshift does not say whether a temporary table can be renamed.
        """
        ref, arriving = quote(name), quote(f"{name}__next")
        known = name in self._staged
        passing = known and ref in making
        self._staged |= dict.fromkeys((name, f"{name}__next") if passing else (name,))
        if passing:
            self.run(making.replace("{}", arriving))
            making = f"CREATE TEMPORARY TABLE {{}} AS SELECT * FROM {arriving}"
        if known:
            self.run(f"DROP TABLE IF EXISTS {ref}")
        self.run(making.replace("{}", ref))
        if passing:
            self.unstage(f"{name}__next")
        return ref

    def unstage(self, name: str) -> None:
        """Drop a temporary table."""
        if name in self._staged:
            del self._staged[name]
            self.run(f"DROP TABLE IF EXISTS {quote(name)}")
