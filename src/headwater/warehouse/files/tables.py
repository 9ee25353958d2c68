"""Tables as views of an in-memory DuckDB over immutable files, and the transactions that change them.

A write creates new files and replaces the table's view. The end of the transaction commits the new files to the manifest.
So no table is held in memory, and nothing is visible to others before the manifest is replaced.
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
from headwater.warehouse.files.formats import copy_sql, select_files, select_typed
from headwater.warehouse.files.manifest import Key, StorageFormat, StoredTable, TableFile
from headwater.warehouse.files.table_store import TableStore

MAX_FILES = 8
"""The maximum number of files of a table. With more, its smaller files are merged into one."""

_TABLE_NAME = re.compile(r'\b(silver|gold|meta)"?\s*\.\s*"?(\w+)', re.IGNORECASE)
_CATALOG_QUERY = re.compile(r"\b(information_schema|duckdb_\w+|pragma\w*|show|pg_catalog)\b", re.IGNORECASE)
"""Names by which a statement can read the catalog, so that it needs all tables."""


class FileTables(DuckDB):
    """A tenant's tables as files: their views in DuckDB, and their transactions."""

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
        self._table_store = TableStore(url, tenant, file_format, read_only=read_only)
        self._read_only = read_only
        self._tables: dict[Key, StoredTable] = dict(self._table_store.manifest.tables)
        self._views: dict[Key, str] = dict(self._table_store.manifest.views)
        self._shown: set[Key] = set()
        self._drafts: list[str] = []
        self._spill = Path(tempfile.gettempdir()) / f"headwater-{uuid.uuid4().hex}"
        try:
            super().__init__(tenant, ":memory:", memory, threads)
            self.path = self._table_store.where
            self.execute(f"SET temp_directory = {quote_literal(str(self._spill))}")
            for layer in LAYERS:
                self.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
            if read_only:
                self._restrict_reads()
        except BaseException:
            self._table_store.close()
            raise

    def _restrict_reads(self) -> None:
        """Restrict a reader's SQL to the files of the tenant."""
        folder = quote_literal(f"{self._table_store.store.fetch('')}/")
        self.execute(f"SET allowed_directories = [{folder}]")
        self.execute("SET enable_external_access = false")
        self.execute("SET lock_configuration = true")

    def close(self) -> None:
        """Close DuckDB and release the folder for other writers."""
        super().close()
        self._table_store.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def erase(self) -> None:
        """Remove every file of the tenant."""
        super().close()
        self._table_store.erase()
        shutil.rmtree(self._spill, ignore_errors=True)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all statements inside together, or none. A nested transaction is part of the outer one."""
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
            self._reload()
            self._table_store.undo(self._drafts)
            raise
        finally:
            self._drafts.clear()

    def _save(self) -> None:
        """Commit the changed tables, and discard the drafts that they do not use."""
        before = self._table_store.manifest
        if self._tables == before.tables and self._views == before.views:
            self._table_store.discard(self._drafts)
            return
        if self._read_only:
            hint = "only `headwater run` changes tables"
            raise WarehouseError("the warehouse is open read-only", where=self.path, hint=hint)
        for key, table in self._tables.items():
            if len(table.files) > MAX_FILES and self._table_store.file_format != "delta":
                self._compact(key, table)
        saved = dict(self._tables)
        self._table_store.commit(self._tables, self._views)
        self._reload()
        # Committing to Delta renames the files.
        self._shown -= {key for key, table in self._tables.items() if table != saved[key]}
        self._table_store.discard(self._drafts)

    def _reload(self) -> None:
        self._tables = dict(self._table_store.manifest.tables)
        self._views = dict(self._table_store.manifest.views)

    def _compact(self, key: Key, table: StoredTable) -> None:
        """Merge the files with less than a quarter of the rows into one. So each row is rewritten only a few times."""
        small_files = [file for file in table.files if file.rows * 4 < table.rows] or list(table.files)
        others = tuple(file for file in table.files if file not in small_files)
        compacted = self._write_file(
            key, table.columns, table.names, self._select_sql(replace(table, files=tuple(small_files)))
        )
        self._put(key, replace(table, files=(*others, compacted)))

    def _select_sql(self, table: StoredTable) -> str:
        paths = [str(self._table_store.store.fetch(file.path)) for file in table.files]
        return select_files(table.columns, paths, self._table_store.file_format)

    def _write_file(self, key: Key, columns: Sequence[TableColumn], names: Sequence[str], select: str) -> TableFile:
        """Write the rows of `select`, whose columns are `names`, to a new file."""
        path = self._table_store.build_path(key)
        file = self._table_store.store.prepare_local_path(path)
        self._drafts.append(path)
        file_format = self._table_store.file_format
        rows = self.execute(copy_sql(select_typed(columns, names, select, file_format), str(file), file_format))
        return TableFile(path=path, rows=rows)

    def _put(self, key: Key, table: StoredTable) -> None:
        """Replace the state of a table, within the transaction."""
        before = self._tables.get(key)
        self._tables[key] = table
        if before is not None and before.columns != table.columns:
            # A view keeps its columns, so the views over this table are created again at their next use.
            self._shown -= {view for view, select in self._views.items() if key in find_names(select)}
        self._shown.discard(key)
        self._show(key)

    def _show(self, key: Key) -> None:
        """Create the view of a table or view in DuckDB, with the views that it reads."""
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
        """Drop the view of a table or view from DuckDB."""
        super()._run(f"DROP VIEW IF EXISTS {self.ref(layer, name)}", ())
        super()._run(f"DROP MACRO TABLE IF EXISTS {self.ref(layer, f'{name}_asof')}", ())
        self._shown -= {(layer, name), (layer, f"{name}_asof")}

    def _show_tables(self, statement: str) -> None:
        keys = set(find_names(statement))
        if _CATALOG_QUERY.search(statement):
            keys |= self._tables.keys() | self._views.keys()
        for key in keys:
            self._show(key)

    def _run(self, statement: str, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        self._show_tables(statement)
        return super()._run(statement, parameters)

    def answer_arrow(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the result as a pyarrow Table."""
        self._show_tables(statement)
        return super().answer_arrow(statement, parameters)

    def answer(self, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return the column names and rows of a small result."""
        self._show_tables(statement)
        return super().answer(statement)

    def fetch_arrow(self, select: str) -> ArrowStream:
        """Return the result of a portable SELECT as a stream. Read it before the next statement."""
        self._show_tables(select)
        return super().fetch_arrow(select)

    def fetch_arrow_batches(self, select: str) -> Any:
        """Return the result as a pyarrow RecordBatchReader. Read it before the next statement."""
        self._show_tables(select)
        return super().fetch_arrow_batches(select)

    def _rewrite(self, key: Key, select: str, columns: Sequence[TableColumn] = (), *, names: Sequence[str] = ()) -> int:
        """Replace all rows by the rows of `select`; return their number.

        `names` are the columns of `select`, by default all stored columns that stay.
        """
        stored = self._tables[key]
        columns = tuple(columns) or stored.columns
        staying = {column.name for column in columns}
        names = names or [name for name in stored.names if name in staying]
        file = self._write_file(key, columns, names, select)
        files = (file,) if file.rows or self._table_store.file_format == "delta" else ()
        self._put(key, replace(stored, columns=columns, files=files, content_id=generate_content_id()))
        return file.rows


def find_names(statement: str) -> list[Key]:
    """Return the tables and views that a statement may name. Names that do not exist are ignored later."""
    return [(layer, name) for layer in LAYERS for schema, name in _find_pairs(statement) if schema == layer]


def _find_pairs(statement: str) -> list[tuple[str, str]]:
    return [(layer.lower(), name.lower()) for layer, name in _TABLE_NAME.findall(statement)]


def generate_content_id() -> str:
    """Generate a new id for the content of a table."""
    return uuid.uuid4().hex[:16]
