"""Registers a tenant's tables, views and functions in Spark's catalog of this process.

All sessions of the process share one catalog, but each caches what it has read of a table. A session refreshes that cache
when another one has replaced the table.
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

_OPEN_DATABASES: dict[str, tuple[Path, int]] = {}
"""Database -> its folder in this process, and how many warehouses have it open."""

_REGISTERED: dict[str, object] = {}
"""Database, table, view or function -> what is registered for it in the catalog of this process."""

_LOCKS: dict[Path, threading.RLock] = {}
"""Folder of a tenant -> the lock of the tenant's part of the catalog in this process."""

_locks_guard = threading.Lock()


def get_tenant_lock(folder: Path) -> threading.RLock:
    """Return the lock between warehouses of one tenant in this process."""
    with _locks_guard:
        return _LOCKS.setdefault(folder.absolute(), threading.RLock())


class CatalogRegistry:
    """A tenant's part of the catalog, as seen by one session. The caller holds the tenant's lock."""

    def __init__(self, folder: Path, *, databases: Mapping[SchemaName, str], file_format: str, run: Run) -> None:
        self._folder = folder
        self._databases = databases
        self._format = file_format
        self._run = run
        self._seen: dict[str, object] = {}

    def claim(self) -> None:
        """Claim the names of the databases, which are shared by all warehouses of this process."""
        for database in self._databases.values():
            folder, count = _OPEN_DATABASES.get(database, (self._folder, 0))
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
            _OPEN_DATABASES[database] = self._folder, count + 1

    def release(self) -> None:
        """Release the names of the databases."""
        for database in self._databases.values():
            folder, count = _OPEN_DATABASES.get(database, (self._folder, 0))
            if folder == self._folder:
                _OPEN_DATABASES[database] = folder, max(count - 1, 0)

    def erase(self) -> None:
        """Drop the databases with all their objects."""
        for database in self._databases.values():
            self._drop_database(database)

    def _drop_database(self, database: str) -> None:
        for ref in [ref for ref in _REGISTERED if ref.startswith(f"{quote_name(database)}.")]:
            self.forget(ref)
        self._run(f"DROP DATABASE IF EXISTS {quote_name(database)} CASCADE")
        _REGISTERED.pop(database, None)

    def prepare(self) -> None:
        """Create the databases in this process's catalog."""
        for layer, database in self._databases.items():
            if _REGISTERED.get(database) != str(self._folder):
                location = quote_literal(str(self._folder / layer))
                self._run(f"CREATE DATABASE IF NOT EXISTS {quote_name(database)} LOCATION {location}")
                _REGISTERED[database] = str(self._folder)

    def sync(self, state: CatalogState) -> None:
        """Update the catalog, and this session's cache of it, to a state."""
        functions = {self.ref(f"{key}_asof") for key in state.asofs}
        wanted = {*map(self.ref, state.tables), *map(self.ref, state.views), *functions}
        for ref in [ref for ref in _REGISTERED if ref.startswith(self._ref_prefixes) and ref not in wanted]:
            self.forget(ref)
        for key, table in state.tables.items():
            self.register_table(key, table)
        for key, select in state.views.items():
            if _REGISTERED.get(self.ref(key)) != select:
                self.create_view(key, select)
        for key in state.asofs:
            self.create_as_of(key, state.tables[key])

    @property
    def _ref_prefixes(self) -> tuple[str, ...]:
        """The prefixes of all quoted names in the tenant's databases."""
        return tuple(f"{quote_name(database)}." for database in self._databases.values())

    def ref(self, key: str) -> str:
        """Return the quoted name of `layer.name`."""
        layer, _, name = key.partition(".")
        database = next(database for schema, database in self._databases.items() if schema == layer)
        return f"{quote_name(database)}.{quote_name(name)}"

    def register_table(self, key: str, table: SparkTable) -> None:
        """Register a table under its name."""
        ref, fingerprint = self.ref(key), self._build_fingerprint(table)
        if _REGISTERED.get(ref) != fingerprint:
            self.forget(ref)
            columns = ", ".join(map(ddl.column_sql, table.columns)) if self._format == "parquet" else ""
            location = quote_literal(str(self._folder / table.folder))
            columns_sql = f" ({columns.replace(' NOT NULL', '')})" if columns else ""
            self._run(f"CREATE TABLE IF NOT EXISTS {ref}{columns_sql} USING {self._format} LOCATION {location}")
        elif self._seen.get(ref, fingerprint) != fingerprint:
            self._run(f"REFRESH TABLE {ref}")
        _REGISTERED[ref] = self._seen[ref] = fingerprint

    def create_table(self, key: str, columns: str, folder: str) -> None:
        """Create an empty Delta table. Its own log stores the columns."""
        ref = self.ref(key)
        self.forget(ref)
        self._run(f"CREATE TABLE {ref} ({columns}) USING delta LOCATION {quote_literal(str(self._folder / folder))}")
        _REGISTERED[ref] = self._seen[ref] = folder, ()

    def _build_fingerprint(self, table: SparkTable) -> object:
        """Return what the catalog stores of a table: its folder, and for Parquet its columns."""
        return table.folder, table.columns if self._format == "parquet" else ()

    def create_view(self, key: str, select: str) -> None:
        """Create or replace a view."""
        self._run(f"CREATE OR REPLACE VIEW {self.ref(key)} AS {select}")
        _REGISTERED[self.ref(key)] = select

    def create_as_of(self, key: str, table: SparkTable) -> None:
        """Create the function for queries of a past instant."""
        function, fingerprint = self.ref(f"{key}_asof"), ("asof", table.columns)
        if _REGISTERED.get(function) != fingerprint:
            self._run(ddl.as_of_function_sql(self.ref(key), function, table.columns))
        elif self._seen.get(function, fingerprint) != fingerprint:
            self._run(f"REFRESH FUNCTION {function}")
        _REGISTERED[function] = self._seen[function] = fingerprint

    def forget_views(self) -> None:
        """Drop the views: each keeps the columns that its tables had when it was created."""
        for ref in [
            ref for ref, entry in _REGISTERED.items() if isinstance(entry, str) and ref.startswith(self._ref_prefixes)
        ]:
            self.forget(ref)

    def forget(self, ref: str) -> None:
        """Drop a table, view or function from the catalog if it is registered."""
        entry = _REGISTERED.pop(ref, None)
        if isinstance(entry, str):
            self._run(f"DROP VIEW IF EXISTS {ref}")
        elif isinstance(entry, tuple) and entry and entry[0] == "asof":
            self._run(f"DROP FUNCTION IF EXISTS {ref}")
        elif entry is not None:
            self._run(f"DROP TABLE IF EXISTS {ref}")
