"""Tables in a folder of this machine, which Spark's catalog of the moment is told of; the book says which there are."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from headwater.errors import WarehouseError
from headwater.names import literal
from headwater.warehouse import spark_tables
from headwater.warehouse.base import Layer, TableColumn
from headwater.warehouse.duckdb import LAYERS
from headwater.warehouse.spark_book import Book, Shelf, State, Undo, outlive
from headwater.warehouse.spark_tables import tick

Run = Callable[[str], Any]
"""Runs a statement in Spark's dialect."""

_OPEN: dict[str, tuple[Path, int]] = {}
"""By database: the folder that it stands for in this process, and how many warehouses have it open."""

_TOLD: dict[str, object] = {}
"""What the catalog of this process was told of each table, view and function: it is shared by all its sessions."""


class LocalTables:
    """Which tables a tenant has, as last committed and as a transaction has them now."""

    def __init__(
        self, folder: Path, *, databases: Mapping[Layer, str], file_format: str, run: Run, process: int = 0
    ) -> None:
        self._book = Book(folder)
        self._folder = folder
        self._databases = databases
        self._format = file_format
        self._run = run
        self._process = process
        self._committed = self._now = State()
        self._touched: dict[str, int] = {}
        self._shown: set[str] = set()

    def open(self) -> None:
        """Tell Spark of what there is; what a dead writer left half done is undone first."""
        self._claim()
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let others have the databases."""
        for database in self._databases.values():
            folder, count = _OPEN.get(database, (self._folder, 0))
            if folder == self._folder:
                _OPEN[database] = folder, max(count - 1, 0)

    def _claim(self) -> None:
        """Have the databases' names, which everybody in this process shares."""
        for database in self._databases.values():
            folder, count = _OPEN.get(database, (self._folder, 0))
            if folder != self._folder and count:
                raise WarehouseError(
                    f"the database `{database}` stands for another folder in this process",
                    where=str(self._folder),
                    saw=str(folder),
                    hint="close that warehouse first; tenants `a-b` and `a_b` cannot be open in one Spark at once",
                )
            if folder != self._folder:
                for ref in [ref for ref in _TOLD if ref.startswith(f"{tick(database)}.")]:
                    self._forget(ref)
                self._run(f"DROP DATABASE IF EXISTS {tick(database)} CASCADE")
                _TOLD.pop(database, None)
                count = 0
            _OPEN[database] = self._folder, count + 1

    def _open(self) -> None:
        free = self._book.lock(wait=False)
        try:
            if free:
                self._recover()
            self._committed, _ = self._book.read()
            self._now = self._committed
            if self._now.tables:
                self.prepare()
                self._tell(forget=free)
        finally:
            if free:
                self._book.unlock()

    def begin(self) -> None:
        """Wait for the writers before; see what they did."""
        self._book.lock(wait=True)
        try:
            self._recover()
            self._committed, _ = self._book.read()
            self._now, self._touched, self._shown = self._committed, {}, set()
            self._tell(forget=True)
        except BaseException:
            self._book.unlock()
            raise

    def commit(self) -> None:
        """Everything since `begin` counts from here on."""
        if self._now != self._committed or self._touched:
            self._book.write(self._now)
            self._committed, self._touched = self._now, {}
            self._sweep()
        self._book.unlock()

    def roll_back(self) -> None:
        """Nothing since `begin` counts. What cannot be undone now, whoever comes next undoes."""
        try:
            self._undo(self._touched)
            self._now, self._touched = self._committed, {}
            for ref in self._shown:  # a view keeps the columns that it was made with
                self._forget(ref)
            self._book.write(self._committed)
            self._tell(forget=True)
            self._sweep()
        finally:
            self._book.unlock()

    def _recover(self) -> None:
        state, undo = self._book.read()
        if undo is None:
            return
        if undo.process != self._process:
            outlive(undo.process, str(self._folder))
        self._committed = self._now = state
        self._undo(undo.versions)
        self.prepare()
        for ref in [ref for ref, told in _TOLD.items() if isinstance(told, str) and ref.startswith(self._own)]:
            self._forget(ref)  # a view keeps the columns that it was made with
        self._tell(forget=True)
        self._book.write(state)
        self._sweep()

    def _undo(self, versions: Mapping[str, int]) -> None:
        """Bring every table that was touched back to the version that it had; those made since go with their folders."""
        kept = {shelf.folder for shelf in self._committed.tables.values()}
        for folder, version in versions.items():
            if folder in kept and newest(self._folder / folder) != version:
                self._run(f"RESTORE TABLE delta.{tick(str(self._folder / folder))} TO VERSION AS OF {version}")

    def _sweep(self) -> None:
        """Remove the folders that nothing refers to."""
        kept = {shelf.folder for shelf in self._committed.tables.values()}
        for layer in LAYERS:
            for found in (self._folder / layer).glob("*"):
                if f"{layer}/{found.name}" not in kept:
                    shutil.rmtree(found, ignore_errors=True)

    def prepare(self) -> None:
        """Make the databases in this process's catalog."""
        for layer, database in self._databases.items():
            if _TOLD.get(database) != str(self._folder):
                place = literal(str(self._folder / layer))
                self._run(f"CREATE DATABASE IF NOT EXISTS {tick(database)} LOCATION {place}")
                _TOLD[database] = str(self._folder)

    def _tell(self, *, forget: bool) -> None:
        """Bring the catalog in line with the state; with `forget`, what is there no more goes from it."""
        wanted: dict[str, object] = {self._ref(key): shelf for key, shelf in self._now.tables.items()}
        views = {self._ref(key): select for key, select in self._now.views.items()}
        asofs = {self._ref(f"{key}_asof"): self._now.tables[key] for key in self._now.asofs}
        for ref in [ref for ref in _TOLD if forget and ref.startswith(self._own)]:
            if ref not in wanted and ref not in views and ref not in asofs:
                self._forget(ref)
        for key, shelf in self._now.tables.items():
            if _TOLD.get(self._ref(key)) != self._told(shelf):
                self._forget(self._ref(key))
                self._register(key, shelf)
        for ref, select in views.items():
            if _TOLD.get(ref) != select:
                self._run(f"CREATE OR REPLACE VIEW {ref} AS {select}")
                _TOLD[ref] = select
        for key in self._now.asofs:
            self._make_asof(key)

    @property
    def _own(self) -> tuple[str, ...]:
        """How the names of everything in the tenant's databases begin."""
        return tuple(f"{tick(database)}." for database in self._databases.values())

    def _register(self, key: str, shelf: Shelf) -> None:
        columns = ", ".join(map(spark_tables.column_sql, shelf.columns)) if self._format == "parquet" else ""
        there = literal(str(self._folder / shelf.folder))
        shown = f" ({columns.replace(' NOT NULL', '')})" if columns else ""
        self._run(f"CREATE TABLE IF NOT EXISTS {self._ref(key)}{shown} USING {self._format} LOCATION {there}")
        _TOLD[self._ref(key)] = self._told(shelf)

    def _forget(self, ref: str) -> None:
        told = _TOLD.pop(ref, None)
        if isinstance(told, str):
            self._run(f"DROP VIEW IF EXISTS {ref}")
        elif isinstance(told, tuple) and told and told[0] == "asof":
            self._run(f"DROP FUNCTION IF EXISTS {ref}")
        elif told is not None:
            self._run(f"DROP TABLE IF EXISTS {ref}")

    def _make_asof(self, key: str) -> None:
        function, columns = self._ref(f"{key}_asof"), self._now.tables[key].columns
        if _TOLD.get(function) != ("asof", columns):
            self._run(spark_tables.asof(self._ref(key), function, columns))
            _TOLD[function] = ("asof", columns)

    def _ref(self, key: str) -> str:
        layer, _, name = key.partition(".")
        return f"{tick(self._databases[layer_of(layer)])}.{tick(name)}"

    def shelf(self, layer: Layer, name: str) -> Shelf | None:
        """A stored table; None when there is none."""
        return self._now.tables.get(f"{layer}.{name}")

    def columns(self, layer: Layer, name: str) -> tuple[TableColumn, ...] | None:
        """The columns of a stored table; None when there is none."""
        shelf = self.shelf(layer, name)
        return shelf.columns if shelf else None

    def is_view(self, layer: Layer, name: str) -> bool:
        """Whether there is a view of that name."""
        return f"{layer}.{name}" in self._now.views

    def names(self, layer: Layer) -> tuple[str, ...]:
        """Tables and views of a layer, sorted."""
        found = (*self._now.tables, *self._now.views)
        return tuple(sorted(key.partition(".")[2] for key in found if key.startswith(f"{layer}.")))

    def new_folder(self, layer: Layer, name: str) -> tuple[str, Path]:
        """A folder that nobody has used: as the book calls it, and where it is."""
        folder = f"{layer}/{name}-{uuid.uuid4().hex[:12]}"
        return folder, self._folder / folder

    def keep(self, layer: Layer, name: str, shelf: Shelf) -> None:
        """Put a table on a shelf, or in the place of what was there."""
        key = f"{layer}.{name}"
        self._now = replace(self._now, tables={**self._now.tables, key: shelf})
        if _TOLD.get(self._ref(key)) != self._told(shelf):
            self._forget(self._ref(key))
            self._register(key, shelf)
        if key in self._now.asofs:
            self._make_asof(key)

    def files(self, shelf: Shelf) -> list[Path]:
        """The files of a table."""
        return sorted((self._folder / shelf.folder).glob("*"))

    def reshape(self, layer: Layer, name: str, columns: Sequence[TableColumn]) -> None:
        """Note that a table has other columns now."""
        key = f"{layer}.{name}"
        self.keep(layer, name, replace(self._now.tables[key], columns=tuple(columns)))

    def version(self, layer: Layer, name: str) -> int:
        """The version of a Delta table."""
        return newest(self._folder / self._now.tables[f"{layer}.{name}"].folder)

    def place(self, layer: Layer, name: str) -> str:
        """The clause that says where a table is."""
        return f" LOCATION {literal(str(self._folder / self._now.tables[f'{layer}.{name}'].folder))}"

    def make(self, layer: Layer, name: str, columns: Sequence[TableColumn]) -> None:
        """Make an empty table."""
        folder, there = self.new_folder(layer, name)
        key = f"{layer}.{name}"
        self._forget(self._ref(key))
        if self._format == "delta":
            shown = ", ".join(map(spark_tables.column_sql, columns))
            self._run(f"CREATE TABLE {self._ref(key)} ({shown}) USING delta LOCATION {literal(str(there))}")
            _TOLD[self._ref(key)] = folder, ()
        else:
            there.mkdir(parents=True)
        self.keep(layer, name, Shelf(folder=folder, columns=tuple(columns)))

    def _told(self, shelf: Shelf) -> object:
        """What the catalog knows of a table: where it is, and of Parquet, which columns it has."""
        return shelf.folder, shelf.columns if self._format == "parquet" else ()

    def drop(self, layer: Layer, name: str) -> None:
        """Let go of a table or view; its files go when the transaction is over."""
        key = f"{layer}.{name}"
        if key in self._now.asofs:
            self._now = replace(self._now, asofs=tuple(one for one in self._now.asofs if one != key))
            self._forget(self._ref(f"{key}_asof"))
        if key in self._now.tables or key in self._now.views:
            tables = {other: shelf for other, shelf in self._now.tables.items() if other != key}
            views = {other: select for other, select in self._now.views.items() if other != key}
            self._now = replace(self._now, tables=tables, views=views)
            self._forget(self._ref(key))

    def keep_view(self, layer: Layer, name: str, select: str) -> None:
        """Make or replace a view."""
        key = f"{layer}.{name}"
        self._run(f"CREATE OR REPLACE VIEW {self._ref(key)} AS {select}")
        _TOLD[self._ref(key)] = select
        self._shown.add(self._ref(key))
        self._now = replace(self._now, views={**self._now.views, key: select})

    def keep_asof(self, layer: Layer, name: str) -> None:
        """Make the function by which SQL asks a table for a past day."""
        key = f"{layer}.{name}"
        if key not in self._now.asofs:
            self._now = replace(self._now, asofs=(*self._now.asofs, key))
        self._make_asof(key)

    def touch(self, layer: Layer, name: str) -> None:
        """Write down which version a Delta table has, before a transaction first changes it."""
        shelf = self.shelf(layer, name)
        known = {one.folder for one in self._committed.tables.values()}
        if shelf is None or shelf.folder in self._touched or shelf.folder not in known:
            return
        self._touched[shelf.folder] = newest(self._folder / shelf.folder)
        self._book.write(self._committed, Undo(versions=self._touched, process=self._process))

    def erase(self) -> None:
        """Remove everything of the tenant."""
        with self._book.locked():
            for database in self._databases.values():
                for ref in [ref for ref in _TOLD if ref.startswith(f"{tick(database)}.")]:
                    self._forget(ref)
                self._run(f"DROP DATABASE IF EXISTS {tick(database)} CASCADE")
                _TOLD.pop(database, None)
            shutil.rmtree(self._folder, ignore_errors=True)


def layer_of(text: str) -> Layer:
    """The layer that a text names."""
    return next(layer for layer in LAYERS if layer == text)


def newest(folder: Path) -> int:
    """The newest version of a Delta table on this machine."""
    return max((int(one.stem) for one in (folder / "_delta_log").glob("*.json") if one.stem.isdigit()), default=-1)
