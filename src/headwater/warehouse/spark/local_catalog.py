"""Tables in a local folder, registered in Spark's session catalog. A journal lists them."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from headwater.names import quote_literal
from headwater.warehouse.base import LAYERS, SchemaName, TableColumn
from headwater.warehouse.spark import ddl
from headwater.warehouse.spark.ddl import quote_name
from headwater.warehouse.spark.journal import CatalogState, Journal, SparkTable, UndoLog, wait_for_exit
from headwater.warehouse.spark.registry import CatalogRegistry, Run, get_tenant_lock


class LocalTables:
    """The tables of a tenant, as last committed and as changed by the current transaction.

    Warehouses of a tenant in one process share a catalog, so they hold a lock during a transaction, and while a statement
    outside a transaction is read.
    """

    def __init__(
        self, folder: Path, *, databases: Mapping[SchemaName, str], file_format: str, run: Run, process: int = 0
    ) -> None:
        self._journal = Journal(folder)
        self._folder = folder
        self._format = file_format
        self._run = run
        self._process = process
        self._tenant_lock = get_tenant_lock(folder)
        self._registry = CatalogRegistry(folder, databases=databases, file_format=file_format, run=run)
        self._is_idle = False
        self._stat_token: object = None
        self._committed = self._state = CatalogState()
        self._touched: dict[str, int] = {}
        self._view_refs: set[str] = set()

    def open(self) -> None:
        """Register the tables in Spark, after undoing the changes of a crashed writer."""
        with self._tenant_lock:
            self._registry.claim()
            try:
                self._open()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Release the databases for other warehouses."""
        with self._tenant_lock:
            self._registry.release()

    def _open(self) -> None:
        free = self._journal.lock(wait=False)
        try:
            if free:
                self._recover()
            self._read()
        finally:
            if free:
                self._journal.unlock()
        self._is_idle = True

    def _read(self) -> None:
        """Read the committed state, and register it in the catalog."""
        self._stat_token = self._journal.read_stat_token()
        self._committed, _ = self._journal.read()
        self._state, self._touched, self._view_refs = self._committed, {}, set()
        if self._state.tables:
            self._registry.prepare()
        self._registry.sync(self._state)

    @contextmanager
    def read_scope(self) -> Iterator[None]:
        """Keep the catalog at the committed state, or the state of the transaction, while a statement is read."""
        with self._tenant_lock:
            if self._is_idle and self._journal.read_stat_token() != self._stat_token:
                self._is_idle = False
                try:
                    self._read()
                finally:
                    self._is_idle = True
            yield

    def begin(self) -> None:
        """Begin a transaction: wait for other writers, and read their changes."""
        self._tenant_lock.acquire()
        try:
            self._is_idle = False
            self._journal.lock(wait=True)
            self._recover()
            self._read()
        except BaseException:
            self._finish()
            raise

    def commit(self) -> None:
        """Commit all changes since `begin`."""
        if self._state != self._committed or self._touched:
            self._journal.write(self._state)
            # Others may still read the previous state. Its files are removed with the next change.
            before, self._committed, self._touched = self._committed, self._state, {}
            self._remove_unused(before)
        self._finish()

    def roll_back(self) -> None:
        """Undo all changes since `begin`. The next writer undoes what fails now."""
        try:
            self._undo(self._touched)
            self._state, self._touched = self._committed, {}
            for ref in self._view_refs:  # a view keeps the columns that it was created with
                self._registry.forget(ref)
            self._journal.write(self._committed)
            self._registry.sync(self._state)
            self._remove_unused()
        finally:
            self._finish()

    def _finish(self) -> None:
        """Release the locks for the next writer."""
        self._stat_token = self._journal.read_stat_token()
        self._is_idle = True
        self._journal.unlock()
        self._tenant_lock.release()

    def _recover(self) -> None:
        state, undo = self._journal.read()
        if undo is None:
            return
        if undo.process != self._process:
            wait_for_exit(undo.process, str(self._folder))
        self._committed = self._state = state
        self._undo(undo.versions)
        self._registry.prepare()
        self._registry.forget_views()
        self._registry.sync(state)
        self._journal.write(state)
        self._remove_unused()

    def _undo(self, versions: Mapping[str, int]) -> None:
        """Restore the version of every changed table. New tables are removed with their folders."""
        folders = {table.folder for table in self._committed.tables.values()}
        for folder, version in versions.items():
            if folder in folders and find_newest_version(self._folder / folder) != version:
                self._run(f"RESTORE TABLE delta.{quote_name(str(self._folder / folder))} TO VERSION AS OF {version}")

    def _remove_unused(self, before: CatalogState | None = None) -> None:
        """Remove the folders that neither the committed state nor the state `before` contains."""
        states = (self._committed, before) if before else (self._committed,)
        folders = {table.folder for state in states for table in state.tables.values()}
        for layer in LAYERS:
            for folder in (self._folder / layer).glob("*"):
                if f"{layer}/{folder.name}" not in folders:
                    shutil.rmtree(folder, ignore_errors=True)

    def prepare(self) -> None:
        """Create the databases in this process's catalog."""
        with self.read_scope():
            self._registry.prepare()

    @property
    def _visible_state(self) -> CatalogState:
        """The state for a reader now."""
        with self.read_scope():
            return self._state

    def find_table(self, layer: SchemaName, name: str) -> SparkTable | None:
        """Return a stored table, or None if it does not exist."""
        return self._visible_state.tables.get(f"{layer}.{name}")

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Return the columns of a stored table, or None if it does not exist."""
        table = self.find_table(layer, name)
        return table.columns if table else None

    def is_view(self, layer: SchemaName, name: str) -> bool:
        """Whether there is a view of that name."""
        return f"{layer}.{name}" in self._visible_state.views

    def list_names(self, layer: SchemaName) -> tuple[str, ...]:
        """Return the names of tables and views of a layer, sorted."""
        state = self._visible_state
        keys = (*state.tables, *state.views)
        return tuple(sorted(key.partition(".")[2] for key in keys if key.startswith(f"{layer}.")))

    def build_folder(self, layer: SchemaName, name: str) -> tuple[str, Path]:
        """Return an unused folder: its name in the journal, and its path."""
        folder = f"{layer}/{name}-{uuid.uuid4().hex[:12]}"
        return folder, self._folder / folder

    def put_table(self, layer: SchemaName, name: str, table: SparkTable) -> None:
        """Add or replace a table."""
        key = f"{layer}.{name}"
        self._state = replace(self._state, tables={**self._state.tables, key: table})
        self._registry.register_table(key, table)
        if key in self._state.asofs:
            self._registry.create_as_of(key, table)

    def list_files(self, table: SparkTable) -> list[Path]:
        """List the files of a table."""
        return sorted((self._folder / table.folder).glob("*"))

    def set_columns(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Record the new columns of a table."""
        key = f"{layer}.{name}"
        self.put_table(layer, name, replace(self._state.tables[key], columns=tuple(columns)))

    def read_version(self, layer: SchemaName, name: str) -> int:
        """Read the version of a Delta table."""
        return find_newest_version(self._folder / self._state.tables[f"{layer}.{name}"].folder)

    def location_sql(self, layer: SchemaName, name: str) -> str:
        """The LOCATION clause of a table."""
        return f" LOCATION {quote_literal(str(self._folder / self._state.tables[f'{layer}.{name}'].folder))}"

    def make(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Create an empty table."""
        folder, path = self.build_folder(layer, name)
        if self._format == "delta":
            self._registry.create_table(f"{layer}.{name}", ", ".join(map(ddl.column_sql, columns)), folder)
        else:
            path.mkdir(parents=True)
        self.put_table(layer, name, SparkTable(folder=folder, columns=tuple(columns)))

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view. Its files are removed after the transaction."""
        key = f"{layer}.{name}"
        if key in self._state.asofs:
            self._state = replace(self._state, asofs=tuple(other for other in self._state.asofs if other != key))
            self._registry.forget(self._registry.ref(f"{key}_asof"))
        if key in self._state.tables or key in self._state.views:
            tables = {other: table for other, table in self._state.tables.items() if other != key}
            views = {other: select for other, select in self._state.views.items() if other != key}
            self._state = replace(self._state, tables=tables, views=views)
            self._registry.forget(self._registry.ref(key))

    def put_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Create or replace a view."""
        key = f"{layer}.{name}"
        self._registry.create_view(key, select)
        self._view_refs.add(self._registry.ref(key))
        self._state = replace(self._state, views={**self._state.views, key: select})

    def put_as_of(self, layer: SchemaName, name: str) -> None:
        """Create the function for queries of a past instant."""
        key = f"{layer}.{name}"
        if key not in self._state.asofs:
            self._state = replace(self._state, asofs=(*self._state.asofs, key))
        self._registry.create_as_of(key, self._state.tables[key])

    def record_version(self, layer: SchemaName, name: str) -> None:
        """Record the version of a Delta table before the first change in a transaction."""
        table = self.find_table(layer, name)
        known = {stored.folder for stored in self._committed.tables.values()}
        if table is None or table.folder in self._touched or table.folder not in known:
            return
        self._touched[table.folder] = find_newest_version(self._folder / table.folder)
        self._journal.write(self._committed, UndoLog(versions=self._touched, process=self._process))

    def erase(self) -> None:
        """Remove everything of the tenant."""
        with self._tenant_lock, self._journal.hold_lock():
            self._is_idle = False
            self._registry.erase()
            shutil.rmtree(self._folder, ignore_errors=True)


def find_newest_version(folder: Path) -> int:
    """Return the newest version of a local Delta table."""
    return max((int(log.stem) for log in (folder / "_delta_log").glob("*.json") if log.stem.isdigit()), default=-1)
