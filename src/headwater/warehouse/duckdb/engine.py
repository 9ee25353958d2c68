"""DuckDB, one file per tenant. It reads Parquet in the lake itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from headwater.dtypes import DUCKDB, can_widen, render_dtype
from headwater.errors import WarehouseError
from headwater.names import quote, quote_literal
from headwater.warehouse import dml
from headwater.warehouse.base import (
    ENTITY_KEY,
    ArrowStream,
    Capabilities,
    FileFormat,
    RowKey,
    SchemaName,
    StagedRows,
    Table,
    TableColumn,
    WriteCounts,
)
from headwater.warehouse.dialect.dialect import PORTABLE
from headwater.warehouse.dialect.text import create_table_sql
from headwater.warehouse.duckdb import replace_rows
from headwater.warehouse.duckdb.catalog import Catalog
from headwater.warehouse.duckdb.connection import (
    STORAGE,
    connect,
    is_small_file,
    to_warehouse_error,
    warn_newer_storage,
)
from headwater.warehouse.duckdb.row_lookup import SMALL, RowLookup
from headwater.warehouse.duckdb.row_lookup import STAGED as LOOKUP_TABLES
from headwater.warehouse.progress_bar import disable_progress_bar
from headwater.warehouse.staging import StagingScopes

_UTC = (
    r"CASE WHEN REGEXP_MATCHES(CAST(instant AS VARCHAR), ':\d\d.*[+-]\d') "
    "THEN MAKE_TIMESTAMP(EPOCH_US(CAST(instant AS TIMESTAMP WITH TIME ZONE))) ELSE CAST(instant AS TIMESTAMP) END"
)
"""The instant that the user gives, as UTC without a zone. A direct cast would drop the offset of a text, and convert a
zoned instant to the time zone of the session."""

_HEAD = 300
"""So many characters of a statement hold the name of the table that it writes."""

_MANY = 50_000
"""When a statement writes more rows, several threads take less time. Below, they use more CPU for nothing."""

_BATCH = 50_000
"""Rows per batch of a stream."""

COPY_OPTIONS: Mapping[FileFormat, str] = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER true",
}
"""The options of COPY for exports, by file format."""

_PYTHON_CASTS = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMP", "UUID": "VARCHAR"}
"""Types that are converted for Python: an instant with a zone would need a library, and no caller needs the UUID class."""


class RelationStream:
    """The result of a SELECT in Arrow's PyCapsule protocol. It needs no package besides DuckDB."""

    def __init__(self, relation: Any) -> None:
        self._relation = relation

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the rows as a stream. It can be read once."""
        return self._relation.__arrow_c_stream__(requested_schema)


class DuckDB:
    """A tenant's DuckDB file, with one writer. With `read_only`, SQL can neither write nor read other files."""

    capabilities = Capabilities(dialect=PORTABLE, narrow_reads=True, reads_lake=True, as_of_functions=True)
    small_rows = SMALL
    """A table with fewer rows is small."""

    def __init__(
        self,
        tenant: str,
        path: str,
        memory: str = "",
        threads: int | None = None,
        *,
        storage: str = STORAGE,
        read_only: bool = False,
    ) -> None:
        self.tenant = tenant
        self.path = path
        self._depth = 0
        self._staging = StagingScopes()
        self._catalog = Catalog(self.rows)
        self._written: list[str] = []
        config: dict[str, Any] = {"memory_limit": memory} if memory else {}
        if threads:
            config["threads"] = threads
        self._has_one_thread = not threads and not read_only and is_small_file(path)
        self._connection = connect(path, config, storage=storage, read_only=read_only)
        self.notes = () if read_only else warn_newer_storage(self._connection, path, storage)
        self.execute("SET TimeZone = 'UTC'")
        disable_progress_bar(self._connection)
        if read_only:
            self.execute("SET enable_external_access = false")
            self.execute("SET lock_configuration = true")
        else:
            self.execute("SET preserve_insertion_order = false")
        if self._has_one_thread:
            # As a setting of the connection, a notebook in this process could not open the file.
            self.execute("SET threads = 1")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def erase(self) -> None:
        """Close and remove the file."""
        self.close()
        path = Path(self.path)
        for file in (path, path.with_name(path.name + ".wal")):
            file.unlink(missing_ok=True)

    def ref(self, layer: SchemaName, name: str) -> str:
        """Return the quoted name of a table of this tenant."""
        return f"{quote(layer)}.{quote(name)}"

    def ensure(self, table: Table) -> None:
        """Create the table, or add and widen columns of the stored one. Raises WarehouseError if a type cannot be widened."""
        stored = self.describe(table.layer, table.name)
        if stored is None:
            self.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(table.layer)}")
            with self._catalog.add(table.layer, table.name, is_view=False):
                self.execute(create_table_sql(table, self.ref(table.layer, table.name), plain=table.key))
        else:
            self._fit_columns(table, stored)
        if table.has_validity:
            self._ensure_as_of(table.layer, table.name)

    def _fit_columns(self, table: Table, stored: Sequence[TableColumn]) -> None:
        ref, types = self.ref(table.layer, table.name), {column.name: column.dtype for column in stored}
        for column in table.columns:
            wanted = render_dtype(column.dtype, DUCKDB)
            if column.name not in types:
                self.execute(f"ALTER TABLE {ref} ADD COLUMN {quote(column.name)} {wanted}")
            elif render_dtype(types[column.name], DUCKDB) != wanted:
                self._widen(table, column, types[column.name])

    def _widen(self, table: Table, column: TableColumn, stored: str) -> None:
        if not can_widen(stored, column.dtype):
            raise dml.build_widening_error(table, column, stored, where=self.path)
        ref, wanted = self.ref(table.layer, table.name), render_dtype(column.dtype, DUCKDB)
        self.execute(f"ALTER TABLE {ref} ALTER COLUMN {quote(column.name)} SET DATA TYPE {wanted}")

    def ensure_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Create or replace a view."""
        with self._catalog.add(layer, name, is_view=True):
            self.execute(f"CREATE OR REPLACE VIEW {self.ref(layer, name)} AS {select}")

    def _ensure_as_of(self, layer: SchemaName, name: str) -> None:
        self.execute(
            f"CREATE OR REPLACE MACRO {self.ref(layer, f'{name}_asof')}(instant) AS TABLE "
            f"SELECT * FROM {self.ref(layer, name)} WHERE valid_from <= {_UTC} AND valid_to > {_UTC}"
        )

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Return the columns of a stored table or view, or None if it does not exist."""
        stored = self._catalog.find(layer, name)
        return tuple(stored.columns) if stored else None

    def tables(self, layer: SchemaName) -> tuple[str, ...]:
        """Return the names of the stored tables and views of a layer, sorted."""
        return tuple(self._catalog.list_names(layer))

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view if it exists."""
        stored = self._catalog.find(layer, name)
        if stored is not None:
            self.execute(f"DROP {'VIEW' if stored.is_view else 'TABLE'} {self.ref(layer, name)}")
            self.execute(f"DROP MACRO TABLE IF EXISTS {self.ref(layer, f'{name}_asof')}")

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with their values."""
        for column in columns:
            self.execute(f"ALTER TABLE {self.ref(layer, name)} DROP COLUMN {quote(column)}")

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Rename columns of a stored table (stored name -> new name). Rows and the order of columns stay."""
        for before, after in names.items():
            self.execute(f"ALTER TABLE {self.ref(layer, name)} RENAME COLUMN {quote(before)} TO {quote(after)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all statements inside together, or none. A nested transaction is part of the outer one."""
        if self._depth == 0:
            self.execute("BEGIN TRANSACTION")
            self._written.clear()
        self._depth += 1
        try:
            yield
            if self._depth == 1:
                self.execute("COMMIT")
        except BaseException:
            if self._depth == 1:
                self._roll_back()
            raise
        finally:
            self._depth -= 1

    def _roll_back(self) -> None:
        self._catalog.forget()
        try:
            self._connection.rollback()
        except duckdb.Error as error:
            # The engine may already have rolled back; then there is nothing to undo.
            if "no transaction is active" not in str(error).lower():
                raise WarehouseError(
                    "a transaction could not be rolled back", where=self.path, details=str(error)
                ) from error

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement; return how many rows it wrote, 0 for statements that write none."""
        cursor = self._run(statement, parameters)
        description = cursor.description or []
        if len(description) != 1 or description[0][0] != "Count":
            return 0
        row = cursor.fetchone()
        count = int(row[0]) if row else 0
        if self._has_one_thread and count > _MANY:
            self._has_one_thread = False
            self._connection.execute("RESET threads")
        return count

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a small result."""
        return self._run(statement, parameters).fetchall()

    def answer_arrow(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the result as a pyarrow Table."""
        try:
            return self._connection.sql(statement, params=list(parameters) or None).to_arrow_table()
        except duckdb.Error as error:
            raise to_warehouse_error(error, self.path, statement) from error

    def answer(self, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return the column names and rows of a small result. An instant with a zone is converted to UTC without a zone."""
        self._catalog.forget()
        try:
            result: Any = self._connection.sql(statement)
            if result is None:
                return (), []
            columns, types = tuple(result.columns), [str(kind) for kind in result.types]
            if _PYTHON_CASTS.keys() & types:
                values = (f"CAST(#{n} AS {_PYTHON_CASTS.get(kind, kind)})" for n, kind in enumerate(types, 1))
                result = result.project(", ".join(values))
            return columns, result.fetchall()
        except duckdb.Error as error:
            raise to_warehouse_error(error, self.path, statement) from error

    def fetch_arrow(self, select: str) -> ArrowStream:
        """Return the result of a portable SELECT as a stream. Read it before the next statement."""
        try:
            return RelationStream(self._connection.sql(select))
        except duckdb.Error as error:
            raise to_warehouse_error(error, self.path, select) from error

    def fetch_arrow_batches(self, select: str) -> Any:
        """Return the result as a pyarrow RecordBatchReader. Read it before the next statement."""
        try:
            return self._connection.sql(select).to_arrow_reader(_BATCH)
        except duckdb.Error as error:
            raise to_warehouse_error(error, self.path, select) from error

    def schema_of(self, select: str) -> dict[str, str]:
        """Return the columns of a SELECT over stored tables and their types, without running it."""
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE SELECT * FROM ({select}) AS _typed")}

    def _run(self, statement: str, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        self._catalog.on_statement(statement)
        if self._depth and statement.startswith(("INSERT INTO ", "UPDATE ")):
            self._written.append(statement[:_HEAD])
        try:
            return self._connection.execute(statement, list(parameters) or None)
        except duckdb.Error as error:
            raise to_warehouse_error(error, self.path, statement) from error

    def stage(self, name: str, rows: str | ArrowStream, *more: str) -> str:
        """Store the rows of SELECTs, or of a stream, in a temporary table; return its quoted name."""
        self._staging.add(name)
        if not isinstance(rows, str):
            return self._stage_stream(name, rows)
        ref = f"temp.main.{quote(name)}"
        self.execute(f"CREATE OR REPLACE TEMPORARY TABLE {quote(name)} AS {rows}")
        for select in more:
            self.execute(f"INSERT INTO {ref} {select}")
        return ref

    def _stage_stream(self, name: str, rows: ArrowStream) -> str:
        source = f"{name}__arrow"
        self._connection.register(source, rows)
        try:
            return self.stage(name, f"SELECT * FROM {quote(source)}")
        finally:
            self._connection.unregister(source)

    def staging(self) -> AbstractContextManager[None]:
        """Drop at the end the tables staged inside, except those that replace a table staged before."""
        return self._staging.open(self.unstage)

    def unstage(self, *names: str) -> None:
        """Drop temporary tables."""
        for name in names:
            self._staging.remove(name)
        if names:
            self.execute("; ".join(f"DROP TABLE IF EXISTS temp.main.{quote(name)}" for name in names))

    def count(self, staged: str) -> int:
        """Count the rows of a staged relation."""
        return int(self.rows(f"SELECT COUNT(*) FROM {staged}")[0][0])

    def digest(self, layer: SchemaName, name: str) -> str:
        """Return a text that changes when rows or columns of a table do, independent of the order of rows."""
        columns = ", ".join(f"{column.name} {column.dtype}" for column in self.describe(layer, name) or ())
        count, total = self.rows(f"SELECT COUNT(*), SUM(HASH(t)) FROM {self.ref(layer, name)} AS t")[0]
        return hashlib.sha256(f"{columns}|{count}|{total}".encode()).hexdigest()

    def export(self, layer: SchemaName, name: str, path: str, file_format: FileFormat) -> int:
        """Write a table's rows to a new file; return their number."""
        return self.execute(
            f"COPY (SELECT * FROM {self.ref(layer, name)}) TO {quote_literal(path)} ({COPY_OPTIONS[file_format]})"
        )

    def select_rows(
        self,
        into: str,
        layer: SchemaName,
        name: str,
        *,
        keys: str,
        columns: Sequence[str],
        where: str = "TRUE",
        by: RowKey = ENTITY_KEY,
    ) -> StagedRows:
        """Stage the rows of a stored table whose key is in `keys` and that meet a condition over `x`, by number if possible."""
        ref = self.ref(layer, name)
        lookup = RowLookup(warehouse=self, into=into, ref=ref, columns=columns, where=where, by=by)
        if self.is_small(layer, name):
            return lookup.stage_small(keys, has_new_rows=self._is_written(ref))
        rows = lookup.stage(keys)
        self.unstage(*LOOKUP_TABLES)
        return rows

    def is_small(self, layer: SchemaName, name: str) -> bool:
        """Whether comparing all rows of a stored table costs no more than another statement."""
        return self._catalog.count_rows(layer, name) < self.small_rows

    def _is_written(self, ref: str) -> bool:
        """Whether the transaction in progress has put rows into a stored table."""
        return any(statement.startswith((f"INSERT INTO {ref} ", f"UPDATE {ref} ")) for statement in self._written)

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Insert the rows of `select` (in the order of `columns`) into a stored table; return their number."""
        inserted = dml.append(self.execute, self.ref(layer, name), columns, select)
        self._catalog.add_rows(layer, name, inserted)
        return inserted

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Delete the rows that meet a condition over their own columns; return their number."""
        return dml.delete(self.execute, self.ref(layer, name), where)

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Update the rows that meet a condition over their own columns; return their number."""
        return dml.update(self.execute, self.ref(layer, name), values, where)

    def apply(
        self,
        table: Table,
        changes: str,
        *,
        old_key_columns: Mapping[str, str],
        inserts: str = "",
        stored: Sequence[StagedRows] = (),
    ) -> WriteCounts:
        """Apply deletes, inserts and replacements to a stored table."""
        ref = self.ref(table.layer, table.name)
        delete_condition = replace_rows.changed_rows_condition(
            table, changes, old_key_columns=old_key_columns, stored=stored
        )
        with self.transaction():
            written = dml.apply(
                self.execute,
                ref,
                table,
                changes,
                old_key_columns=old_key_columns,
                inserts=inserts,
                delete_condition=delete_condition,
            )
        self._catalog.add_rows(table.layer, table.name, written.inserted)
        return written

    def replace_rows(self, table: Table, *, keys: str, new_rows: str, stored: StagedRows | None = None) -> WriteCounts:
        """Make the stored rows whose `table.key` is in `keys` equal to `new_rows`, touching only rows that differ."""
        with self.transaction():
            if stored is not None and stored.has_row_ids:
                written = replace_rows.replace_located(
                    self, table, keys=keys, new_rows=new_rows, stored=stored.relation
                )
            else:
                written = replace_rows.replace_in_parts(self, table, keys=keys, new_rows=new_rows)
        self._catalog.add_rows(table.layer, table.name, written.inserted)
        return written
