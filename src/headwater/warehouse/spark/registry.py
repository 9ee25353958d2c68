"""What Spark's catalog of this process was told of a tenant's tables, views and functions.

All sessions of the process share one catalog, but each remembers for itself what it has read of a table: a session is
told to forget that when another one has put something else in the table's place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headwater.errors import WarehouseError
from headwater.names import quote_literal
from headwater.warehouse.base import SchemaName
from headwater.warehouse.spark import ddl
from headwater.warehouse.spark.ddl import quote_name
from headwater.warehouse.spark.journal import CatalogState, SparkTable

Run = Callable[[str], Any]
"""Runs a statement in Spark's dialect."""

_OPEN: dict[str, tuple[Path, int]] = {}
"""By database: the folder that it stands for in this process, and how many warehouses have it open."""

_TOLD: dict[str, object] = {}
"""What the catalog of this process was told of each database, table, view and function."""

_TURNS: dict[Path, threading.RLock] = {}
"""By folder of a tenant: whoever of this process holds it has the tenant's part of the catalog for itself."""

_making = threading.Lock()


def tenant_lock(folder: Path) -> threading.RLock:
    """The lock that keeps warehouses of one tenant in this process apart."""
    with _making:
        return _TURNS.setdefault(folder.absolute(), threading.RLock())


class CatalogRegistry:
    """A tenant's part of the catalog, as one session sees it. Whoever calls has the turn."""

    def __init__(self, folder: Path, *, databases: Mapping[SchemaName, str], file_format: str, run: Run) -> None:
        self._folder = folder
        self._databases = databases
        self._format = file_format
        self._run = run
        self._seen: dict[str, object] = {}

    def claim(self) -> None:
        """Have the databases' names, which everybody in this process shares."""
        for database in self._databases.values():
            folder, count = _OPEN.get(database, (self._folder, 0))
            if folder != self._folder and count:
                raise WarehouseError(
                    f"the database `{database}` refers to another folder in this process",
                    where=str(self._folder),
                    details=str(folder),
                    hint="close that warehouse first; tenants `a-b` and `a_b` cannot be open in one Spark at once",
                )
            if folder != self._folder:
                self._drop_database(database)
                count = 0
            _OPEN[database] = self._folder, count + 1

    def release(self) -> None:
        """Let others have the databases' names."""
        for database in self._databases.values():
            folder, count = _OPEN.get(database, (self._folder, 0))
            if folder == self._folder:
                _OPEN[database] = folder, max(count - 1, 0)

    def erase(self) -> None:
        """Drop the databases with all that is in them."""
        for database in self._databases.values():
            self._drop_database(database)

    def _drop_database(self, database: str) -> None:
        for ref in [ref for ref in _TOLD if ref.startswith(f"{quote_name(database)}.")]:
            self.forget(ref)
        self._run(f"DROP DATABASE IF EXISTS {quote_name(database)} CASCADE")
        _TOLD.pop(database, None)

    def prepare(self) -> None:
        """Make the databases in this process's catalog."""
        for layer, database in self._databases.items():
            if _TOLD.get(database) != str(self._folder):
                place = quote_literal(str(self._folder / layer))
                self._run(f"CREATE DATABASE IF NOT EXISTS {quote_name(database)} LOCATION {place}")
                _TOLD[database] = str(self._folder)

    def sync(self, state: CatalogState) -> None:
        """Bring the catalog, and what this session remembers of it, in line with a state."""
        functions = {self.ref(f"{key}_asof") for key in state.asofs}
        wanted = {*map(self.ref, state.tables), *map(self.ref, state.views), *functions}
        for ref in [ref for ref in _TOLD if ref.startswith(self._own) and ref not in wanted]:
            self.forget(ref)
        for key, shelf in state.tables.items():
            self.register_table(key, shelf)
        for key, select in state.views.items():
            if _TOLD.get(self.ref(key)) != select:
                self.create_view(key, select)
        for key in state.asofs:
            self.create_as_of(key, state.tables[key])

    @property
    def _own(self) -> tuple[str, ...]:
        """How the names of everything in the tenant's databases begin."""
        return tuple(f"{quote_name(database)}." for database in self._databases.values())

    def ref(self, key: str) -> str:
        """The quoted name of `layer.name`."""
        layer, _, name = key.partition(".")
        return f"{quote_name(next(own for one, own in self._databases.items() if one == layer))}.{quote_name(name)}"

    def register_table(self, key: str, shelf: SparkTable) -> None:
        """Let a name stand for a shelf."""
        ref, what = self.ref(key), self._fingerprint(shelf)
        if _TOLD.get(ref) != what:
            self.forget(ref)
            columns = ", ".join(map(ddl.column_sql, shelf.columns)) if self._format == "parquet" else ""
            there = quote_literal(str(self._folder / shelf.folder))
            shown = f" ({columns.replace(' NOT NULL', '')})" if columns else ""
            self._run(f"CREATE TABLE IF NOT EXISTS {ref}{shown} USING {self._format} LOCATION {there}")
        elif self._seen.get(ref, what) != what:
            self._run(f"REFRESH TABLE {ref}")
        _TOLD[ref] = self._seen[ref] = what

    def create_table(self, key: str, columns: str, folder: str) -> None:
        """Make an empty Delta table, whose columns its own log keeps."""
        ref = self.ref(key)
        self.forget(ref)
        self._run(f"CREATE TABLE {ref} ({columns}) USING delta LOCATION {quote_literal(str(self._folder / folder))}")
        _TOLD[ref] = self._seen[ref] = folder, ()

    def _fingerprint(self, shelf: SparkTable) -> object:
        """What the catalog knows of a table: where it is, and of Parquet, which columns it has."""
        return shelf.folder, shelf.columns if self._format == "parquet" else ()

    def create_view(self, key: str, select: str) -> None:
        """Make or replace a view."""
        self._run(f"CREATE OR REPLACE VIEW {self.ref(key)} AS {select}")
        _TOLD[self.ref(key)] = select

    def create_as_of(self, key: str, shelf: SparkTable) -> None:
        """Make the function by which SQL asks a table for a past day."""
        function, what = self.ref(f"{key}_asof"), ("asof", shelf.columns)
        if _TOLD.get(function) != what:
            self._run(ddl.as_of_function_sql(self.ref(key), function, shelf.columns))
        elif self._seen.get(function, what) != what:
            self._run(f"REFRESH FUNCTION {function}")
        _TOLD[function] = self._seen[function] = what

    def forget_views(self) -> None:
        """Let go of the views: each keeps the columns that its tables had when it was made."""
        for ref in [ref for ref, told in _TOLD.items() if isinstance(told, str) and ref.startswith(self._own)]:
            self.forget(ref)

    def forget(self, ref: str) -> None:
        """Let go of a table, view or function; nothing happens where there is none."""
        told = _TOLD.pop(ref, None)
        if isinstance(told, str):
            self._run(f"DROP VIEW IF EXISTS {ref}")
        elif isinstance(told, tuple) and told and told[0] == "asof":
            self._run(f"DROP FUNCTION IF EXISTS {ref}")
        elif told is not None:
            self._run(f"DROP TABLE IF EXISTS {ref}")
