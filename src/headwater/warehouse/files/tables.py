"""Tables that are views of an empty DuckDB over files that never change, and the transaction by which they become others.

Who writes, writes new files and shows the table as a view over those; at the end of the transaction the pointer names them.
So nothing of a table is held in memory, and whatever happens before the pointer is swapped has not happened.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from headwater.errors import WarehouseError
from headwater.names import quote_literal
from headwater.warehouse.base import LAYERS, ArrowStream, SchemaName, TableColumn
from headwater.warehouse.duckdb.engine import DuckDB
from headwater.warehouse.files.formats import copy_sql, select_files, select_fitted
from headwater.warehouse.files.manifest import Key, StorageFormat, StoredTable, TableFile
from headwater.warehouse.files.table_store import TableStore

MANY = 8
"""A table of more files than this has its smaller ones made one."""

_NAMED = re.compile(r'\b(silver|gold|meta)"?\s*\.\s*"?(\w+)', re.IGNORECASE)
_EVERYTHING = re.compile(r"\b(information_schema|duckdb_\w+|pragma\w*|show|pg_catalog)\b", re.IGNORECASE)
"""What may ask for tables without naming one."""


class FileTables(DuckDB):
    """A tenant's tables as files: which there are, how they are shown, and how they are committed."""

    def __init__(
        self,
        tenant: str,
        url: str,
        file_format: StorageFormat = "parquet",
        memory: str = "",
        *,
        threads: int | None = None,
        read_only: bool = False,
    ) -> None:
        self._place = TableStore(url, tenant, file_format, read_only=read_only)
        self._read_only = read_only
        self._tables: dict[Key, StoredTable] = dict(self._place.manifest.tables)
        self._views: dict[Key, str] = dict(self._place.manifest.views)
        self._shown: set[Key] = set()
        self._drafts: list[str] = []
        self._spill = Path(tempfile.gettempdir()) / f"headwater-{uuid.uuid4().hex}"
        try:
            super().__init__(tenant, ":memory:", memory, threads)
            self.path = self._place.where
            self.execute(f"SET temp_directory = {quote_literal(str(self._spill))}")
            for layer in LAYERS:
                self.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
            if read_only:
                self._restrict_reads()
        except BaseException:
            self._place.close()
            raise

    def _restrict_reads(self) -> None:
        """Leave a reader's SQL no way to other files than the tenant's own."""
        folder = quote_literal(f"{self._place.store.fetch('')}/")
        self.execute(f"SET allowed_directories = [{folder}]")
        self.execute("SET enable_external_access = false")
        self.execute("SET lock_configuration = true")

    def close(self) -> None:
        """Let go of the folder, and let another writer have it."""
        super().close()
        self._place.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def erase(self) -> None:
        """Remove every file of the tenant."""
        super().close()
        self._place.erase()
        shutil.rmtree(self._spill, ignore_errors=True)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside commit together, or none does. One inside another is part of the outer one."""
        if self._depth:
            with super().transaction():
                yield
            return
        try:
            with super().transaction():
                yield
                self._save()
        except BaseException:
            self._shown.clear()
            self._take_over()
            self._place.undo(self._drafts)
            raise
        finally:
            self._drafts.clear()

    def _save(self) -> None:
        """Commit: the files that were written become the tables, whose others need no longer be kept."""
        before = self._place.manifest
        if self._tables == before.tables and self._views == before.views:
            self._place.discard(self._drafts)
            return
        if self._read_only:
            hint = "only `headwater run` changes tables"
            raise WarehouseError("the warehouse is open read-only", where=self.path, hint=hint)
        for key, table in self._tables.items():
            if len(table.files) > MANY and self._place.file_format != "delta":
                self._compact(key, table)
        saved = dict(self._tables)
        self._place.commit(self._tables, self._views)
        self._take_over()
        # Files of Delta tables have other names once they are there.
        self._shown -= {key for key, table in self._tables.items() if table != saved[key]}
        self._place.discard(self._drafts)

    def _take_over(self) -> None:
        self._tables = dict(self._place.manifest.tables)
        self._views = dict(self._place.manifest.views)

    def _compact(self, key: Key, table: StoredTable) -> None:
        """Make one file of all that are small beside the whole: a row is written again a few times in its life only."""
        small = [piece for piece in table.files if piece.rows * 4 < table.rows] or list(table.files)
        rest = tuple(piece for piece in table.files if piece not in small)
        joined = self._write_file(key, table.columns, table.names, self._select_sql(replace(table, files=tuple(small))))
        self._put(key, replace(table, files=(*rest, joined)))

    def _select_sql(self, table: StoredTable) -> str:
        paths = [str(self._place.store.fetch(piece.path)) for piece in table.files]
        return select_files(table.columns, paths, self._place.file_format)

    def _write_file(self, key: Key, columns: Sequence[TableColumn], given: Sequence[str], select: str) -> TableFile:
        """The rows of `select`, whose columns are `given`, in a new file."""
        path = self._place.new_path(key)
        file = self._place.store.prepare_local_path(path)
        self._drafts.append(path)
        file_format = self._place.file_format
        rows = self.execute(copy_sql(select_fitted(columns, given, select, file_format), str(file), file_format))
        return TableFile(path=path, rows=rows)

    def _put(self, key: Key, table: StoredTable) -> None:
        """Let a table be this from now on, within the transaction."""
        before = self._tables.get(key)
        self._tables[key] = table
        if before is not None and before.columns != table.columns:
            # A view remembers what it showed: it is made anew when it is next named.
            self._shown -= {view for view, select in self._views.items() if key in find_names(select)}
        self._shown.discard(key)
        self._show(key)

    def _show(self, key: Key) -> None:
        """Let DuckDB know a table or view by its name."""
        layer, name = key
        if key in self._views:
            for other in find_names(self._views[key]):
                self._show(other)
        if key in self._shown:
            return
        if key in self._views:
            super()._run(f"CREATE OR REPLACE VIEW {self.ref(*key)} AS {self._views[key]}", ())
        elif key in self._tables:
            super()._run(f"CREATE OR REPLACE VIEW {self.ref(*key)} AS {self._select_sql(self._tables[key])}", ())
        elif name.endswith("_asof") and (table := self._tables.get((layer, name.removesuffix("_asof")))):
            self._show((layer, name.removesuffix("_asof")))
            if table.has_as_of:
                self._shown.add(key)
                super()._ensure_as_of(layer, name.removesuffix("_asof"))
            return
        else:
            return
        self._shown.add(key)

    def _hide(self, layer: SchemaName, name: str) -> None:
        """Let DuckDB know a table or view no more."""
        super()._run(f"DROP VIEW IF EXISTS {self.ref(layer, name)}", ())
        super()._run(f"DROP MACRO TABLE IF EXISTS {self.ref(layer, f'{name}_asof')}", ())
        self._shown -= {(layer, name), (layer, f"{name}_asof")}

    def _show_named(self, statement: str) -> None:
        wanted = set(find_names(statement))
        if _EVERYTHING.search(statement):
            wanted |= self._tables.keys() | self._views.keys()
        for key in wanted:
            self._show(key)

    def _run(self, statement: str, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        self._show_named(statement)
        return super()._run(statement, parameters)

    def answer_arrow(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """The answer as a pyarrow Table."""
        self._show_named(statement)
        return super().answer_arrow(statement, parameters)

    def answer(self, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """The names of the columns and the rows of a small answer."""
        self._show_named(statement)
        return super().answer(statement)

    def fetch_arrow(self, select: str) -> ArrowStream:
        """The answer to a portable SELECT, as a stream; it is read before the next statement."""
        self._show_named(select)
        return super().fetch_arrow(select)

    def fetch_arrow_batches(self, select: str) -> Any:
        """The answer as a pyarrow RecordBatchReader; it is read before the next statement."""
        self._show_named(select)
        return super().fetch_arrow_batches(select)

    def _rewrite(self, key: Key, select: str, columns: Sequence[TableColumn] = (), *, given: Sequence[str] = ()) -> int:
        """Put the rows of `select` in the place of all rows; how many.

        `given`: the columns of `select`; all stored columns that stay, where nothing else is said.
        """
        stored = self._tables[key]
        columns = tuple(columns) or stored.columns
        kept = {column.name for column in columns}
        given = given or [name for name in stored.names if name in kept]
        piece = self._write_file(key, columns, given, select)
        pieces = (piece,) if piece.rows or self._place.file_format == "delta" else ()
        self._put(key, replace(stored, columns=columns, files=pieces, content_id=new_content_id()))
        return piece.rows


def find_names(statement: str) -> list[Key]:
    """The tables and views that a statement may name; those that are none do no harm."""
    return [(layer, name) for layer in LAYERS for found, name in _find_pairs(statement) if found == layer]


def _find_pairs(statement: str) -> list[tuple[str, str]]:
    return [(layer.lower(), name.lower()) for layer, name in _NAMED.findall(statement)]


def new_content_id() -> str:
    """What no content of a table was called before."""
    return uuid.uuid4().hex[:16]
