"""Tables in a folder of this machine, which Spark's catalog of the moment is told of; the book says which there are."""

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
from headwater.warehouse.spark.registry import CatalogRegistry, Run, tenant_lock


class LocalTables:
    """Which tables a tenant has, as last committed and as a transaction has them now.

    Warehouses of a tenant in one process share a catalog, so they take turns: a transaction is one, and so is the reading
    of a statement outside of one.
    """

    def __init__(
        self, folder: Path, *, databases: Mapping[SchemaName, str], file_format: str, run: Run, process: int = 0
    ) -> None:
        self._book = Journal(folder)
        self._folder = folder
        self._format = file_format
        self._run = run
        self._process = process
        self._turn = tenant_lock(folder)
        self._told = CatalogRegistry(folder, databases=databases, file_format=file_format, run=run)
        self._settled = False
        self._page: object = None
        self._committed = self._now = CatalogState()
        self._touched: dict[str, int] = {}
        self._shown: set[str] = set()

    def open(self) -> None:
        """Tell Spark of what there is; what a dead writer left half done is undone first."""
        with self._turn:
            self._told.claim()
            try:
                self._open()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Let others have the databases."""
        with self._turn:
            self._told.release()

    def _open(self) -> None:
        free = self._book.lock(wait=False)
        try:
            if free:
                self._recover()
            self._read()
        finally:
            if free:
                self._book.unlock()
        self._settled = True

    def _read(self) -> None:
        """See what was last committed, and let the catalog say so."""
        self._page = self._book.stat_token()
        self._committed, _ = self._book.read()
        self._now, self._touched, self._shown = self._committed, {}, set()
        if self._now.tables:
            self._told.prepare()
        self._told.sync(self._now)

    @contextmanager
    def read_scope(self) -> Iterator[None]:
        """While a statement is read, names stand for what was last committed, or for what the transaction has made of it."""
        with self._turn:
            if self._settled and self._book.stat_token() != self._page:
                self._settled = False
                try:
                    self._read()
                finally:
                    self._settled = True
            yield

    def begin(self) -> None:
        """Wait for the writers before; see what they did."""
        self._turn.acquire()
        try:
            self._settled = False
            self._book.lock(wait=True)
            self._recover()
            self._read()
        except BaseException:
            self._end()
            raise

    def commit(self) -> None:
        """Everything since `begin` counts from here on."""
        if self._now != self._committed or self._touched:
            self._book.write(self._now)
            # Somebody may be reading what counted until now: that goes with the next change.
            before, self._committed, self._touched = self._committed, self._now, {}
            self._sweep(before)
        self._end()

    def roll_back(self) -> None:
        """Nothing since `begin` counts. What cannot be undone now, whoever comes next undoes."""
        try:
            self._undo(self._touched)
            self._now, self._touched = self._committed, {}
            for ref in self._shown:  # a view keeps the columns that it was made with
                self._told.forget(ref)
            self._book.write(self._committed)
            self._told.sync(self._now)
            self._sweep()
        finally:
            self._end()

    def _end(self) -> None:
        """Let the next one have its turn."""
        self._page = self._book.stat_token()
        self._settled = True
        self._book.unlock()
        self._turn.release()

    def _recover(self) -> None:
        state, undo = self._book.read()
        if undo is None:
            return
        if undo.process != self._process:
            wait_for_exit(undo.process, str(self._folder))
        self._committed = self._now = state
        self._undo(undo.versions)
        self._told.prepare()
        self._told.forget_views()
        self._told.sync(state)
        self._book.write(state)
        self._sweep()

    def _undo(self, versions: Mapping[str, int]) -> None:
        """Bring every table that was touched back to the version that it had; those made since go with their folders."""
        kept = {shelf.folder for shelf in self._committed.tables.values()}
        for folder, version in versions.items():
            if folder in kept and newest_version(self._folder / folder) != version:
                self._run(f"RESTORE TABLE delta.{quote_name(str(self._folder / folder))} TO VERSION AS OF {version}")

    def _sweep(self, before: CatalogState | None = None) -> None:
        """Remove the folders that neither what counts now refers to, nor what counted `before`."""
        states = (self._committed, before) if before else (self._committed,)
        kept = {shelf.folder for state in states for shelf in state.tables.values()}
        for layer in LAYERS:
            for found in (self._folder / layer).glob("*"):
                if f"{layer}/{found.name}" not in kept:
                    shutil.rmtree(found, ignore_errors=True)

    def prepare(self) -> None:
        """Make the databases in this process's catalog."""
        with self.read_scope():
            self._told.prepare()

    @property
    def _visible_state(self) -> CatalogState:
        """What there is for whoever asks now."""
        with self.read_scope():
            return self._now

    def find_table(self, layer: SchemaName, name: str) -> SparkTable | None:
        """A stored table; None when there is none."""
        return self._visible_state.tables.get(f"{layer}.{name}")

    def columns(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """The columns of a stored table; None when there is none."""
        shelf = self.find_table(layer, name)
        return shelf.columns if shelf else None

    def is_view(self, layer: SchemaName, name: str) -> bool:
        """Whether there is a view of that name."""
        return f"{layer}.{name}" in self._visible_state.views

    def names(self, layer: SchemaName) -> tuple[str, ...]:
        """Tables and views of a layer, sorted."""
        state = self._visible_state
        found = (*state.tables, *state.views)
        return tuple(sorted(key.partition(".")[2] for key in found if key.startswith(f"{layer}.")))

    def new_folder(self, layer: SchemaName, name: str) -> tuple[str, Path]:
        """A folder that nobody has used: as the book calls it, and where it is."""
        folder = f"{layer}/{name}-{uuid.uuid4().hex[:12]}"
        return folder, self._folder / folder

    def put_table(self, layer: SchemaName, name: str, shelf: SparkTable) -> None:
        """Put a table on a shelf, or in the place of what was there."""
        key = f"{layer}.{name}"
        self._now = replace(self._now, tables={**self._now.tables, key: shelf})
        self._told.register_table(key, shelf)
        if key in self._now.asofs:
            self._told.create_as_of(key, shelf)

    def files(self, shelf: SparkTable) -> list[Path]:
        """The files of a table."""
        return sorted((self._folder / shelf.folder).glob("*"))

    def reshape(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Note that a table has other columns now."""
        key = f"{layer}.{name}"
        self.put_table(layer, name, replace(self._now.tables[key], columns=tuple(columns)))

    def version(self, layer: SchemaName, name: str) -> int:
        """The version of a Delta table."""
        return newest_version(self._folder / self._now.tables[f"{layer}.{name}"].folder)

    def place(self, layer: SchemaName, name: str) -> str:
        """The clause that says where a table is."""
        return f" LOCATION {quote_literal(str(self._folder / self._now.tables[f'{layer}.{name}'].folder))}"

    def make(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Make an empty table."""
        folder, there = self.new_folder(layer, name)
        if self._format == "delta":
            self._told.create_table(f"{layer}.{name}", ", ".join(map(ddl.column_sql, columns)), folder)
        else:
            there.mkdir(parents=True)
        self.put_table(layer, name, SparkTable(folder=folder, columns=tuple(columns)))

    def drop(self, layer: SchemaName, name: str) -> None:
        """Let go of a table or view; its files go when the transaction is over."""
        key = f"{layer}.{name}"
        if key in self._now.asofs:
            self._now = replace(self._now, asofs=tuple(one for one in self._now.asofs if one != key))
            self._told.forget(self._told.ref(f"{key}_asof"))
        if key in self._now.tables or key in self._now.views:
            tables = {other: shelf for other, shelf in self._now.tables.items() if other != key}
            views = {other: select for other, select in self._now.views.items() if other != key}
            self._now = replace(self._now, tables=tables, views=views)
            self._told.forget(self._told.ref(key))

    def put_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Make or replace a view."""
        key = f"{layer}.{name}"
        self._told.create_view(key, select)
        self._shown.add(self._told.ref(key))
        self._now = replace(self._now, views={**self._now.views, key: select})

    def put_as_of(self, layer: SchemaName, name: str) -> None:
        """Make the function by which SQL asks a table for a past day."""
        key = f"{layer}.{name}"
        if key not in self._now.asofs:
            self._now = replace(self._now, asofs=(*self._now.asofs, key))
        self._told.create_as_of(key, self._now.tables[key])

    def touch(self, layer: SchemaName, name: str) -> None:
        """Write down which version a Delta table has, before a transaction first changes it."""
        shelf = self.find_table(layer, name)
        known = {one.folder for one in self._committed.tables.values()}
        if shelf is None or shelf.folder in self._touched or shelf.folder not in known:
            return
        self._touched[shelf.folder] = newest_version(self._folder / shelf.folder)
        self._book.write(self._committed, UndoLog(versions=self._touched, process=self._process))

    def erase(self) -> None:
        """Remove everything of the tenant."""
        with self._turn, self._book.hold_lock():
            self._settled = False
            self._told.erase()
            shutil.rmtree(self._folder, ignore_errors=True)


def newest_version(folder: Path) -> int:
    """The newest version of a Delta table on this machine."""
    return max((int(one.stem) for one in (folder / "_delta_log").glob("*.json") if one.stem.isdigit()), default=-1)
