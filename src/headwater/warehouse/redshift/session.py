"""A tenant's session in Redshift: statements, transactions that wait for each other, and temporary tables."""

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
    """Runs the statements of the warehouse, in Redshift's own dialect."""

    def __init__(self, connection: Connection, *, meta: str, where: str, read_only: bool) -> None:
        self._connection = connection
        self._meta, self._where, self._read_only = meta, where, read_only
        self._depth, self._has_lock_table = 0, False
        self._staged: dict[str, None] = {}
        for setting in SETTINGS:
            self._execute(setting)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Run a statement; return its cursor. In a read-only session, each statement runs in a read-only transaction."""
        if not self._read_only:
            return self._execute(statement, parameters)
        self._execute("BEGIN READ ONLY")
        try:
            return self._execute(statement, parameters)
        finally:
            self._execute("ROLLBACK")

    def write(self, statement: str) -> int:
        """Run a statement; return how many rows it wrote."""
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
        """Create the table that writers of the tenant lock."""
        self.run(f"CREATE SCHEMA IF NOT EXISTS {quote(self._meta)}")
        self.run(f"CREATE TABLE IF NOT EXISTS {self._lock_ref} (nothing BOOLEAN)")
        self._has_lock_table = True

    @property
    def _lock_ref(self) -> str:
        return f"{quote(self._meta)}.{quote(WRITER)}"

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all statements inside together, or none. A nested transaction is part of the outer one.

        It locks first: Redshift takes the snapshot of a transaction at its first statement that reads data, so the
        transaction sees all changes of earlier writers.
        """
        if self._depth == 0:
            if not self._has_lock_table:
                self.prepare()
            self.run("BEGIN")
        self._depth += 1
        try:
            if self._depth == 1:
                self.run(f"LOCK TABLE {self._lock_ref}")
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
        self._has_lock_table = False
        with suppress(WarehouseError):  # a lost session has already rolled back
            self._execute("ROLLBACK")
            for name in staged:
                self._execute(f"DROP TABLE IF EXISTS {quote(name)}")

    def stage(self, name: str, statement: str) -> str:
        """Create a temporary table with `statement` (with `{}` for its quoted name); return that name.

        It replaces an earlier one of that name. If `statement` reads the earlier one, the rows are copied through another
        table, because Redshift does not document whether a temporary table can be renamed.
        """
        ref, next_ref = quote(name), quote(f"{name}__next")
        exists = name in self._staged
        reads_itself = exists and ref in statement
        self._staged |= dict.fromkeys((name, f"{name}__next") if reads_itself else (name,))
        if reads_itself:
            self.run(statement.replace("{}", next_ref))
            statement = f"CREATE TEMPORARY TABLE {{}} AS SELECT * FROM {next_ref}"
        if exists:
            self.run(f"DROP TABLE IF EXISTS {ref}")
        self.run(statement.replace("{}", ref))
        if reads_itself:
            self.unstage(f"{name}__next")
        return ref

    def unstage(self, name: str) -> None:
        """Drop a temporary table."""
        if name in self._staged:
            del self._staged[name]
            self.run(f"DROP TABLE IF EXISTS {quote(name)}")
