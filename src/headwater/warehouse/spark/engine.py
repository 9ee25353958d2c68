"""Spark 4: three databases per tenant, with Delta or Parquet tables. No rows are collected on the driver."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import pyarrow as pa

from headwater.dtypes import can_widen
from headwater.errors import WarehouseError
from headwater.names import quote
from headwater.warehouse.base import (
    LAYERS,
    ArrowStream,
    Capabilities,
    FileFormat,
    SchemaName,
    StagedRows,
    Table,
    TableColumn,
    WriteCounts,
)
from headwater.warehouse.dialect.recursion import expand_recursion
from headwater.warehouse.dialect.render import render, replace_schema_names
from headwater.warehouse.dml import build_widening_error
from headwater.warehouse.export import answer_by_arrow
from headwater.warehouse.row_lookup import scan_costs_more, select_rows_by_key
from headwater.warehouse.shadow_schema import ShadowSchema
from headwater.warehouse.spark import ddl
from headwater.warehouse.spark import export as spark_export
from headwater.warehouse.spark.column_types import find_columns
from headwater.warehouse.spark.connection import (
    SPARK_ERRORS,
    get_driver_process,
    open_session,
    release_session,
    to_database_name,
    to_warehouse_error,
)
from headwater.warehouse.spark.ddl import quote_name, type_sql
from headwater.warehouse.spark.delta import DeltaWrites
from headwater.warehouse.spark.functions import DIALECT
from headwater.warehouse.spark.lake_views import LakeViews
from headwater.warehouse.spark.local_catalog import LocalTables
from headwater.warehouse.spark.parquet import ParquetWrites
from headwater.warehouse.spark.shared_catalog import CatalogTables
from headwater.warehouse.spark.temp_views import TempViews
from headwater.warehouse.staging import StagingScopes

_SESSION_NUMBERS = itertools.count(1)


class Spark:
    """A tenant's databases in Spark. Writers of a tenant wait for each other; readers do not wait."""

    capabilities = Capabilities(
        dialect=DIALECT,
        reads_lake=True,
        as_of_functions=True,
    )

    def __init__(
        self,
        tenant: str,
        url: str = "",
        path: str = "",
        *,
        table_format: Literal["delta", "parquet"] = "delta",
        settings: Mapping[str, str] = MappingProxyType({}),
        read_only: bool = False,
    ) -> None:
        self.tenant = tenant
        self.notes: tuple[str, ...] = ()
        self.read_only = read_only
        names = {layer: to_database_name(tenant, layer) for layer in LAYERS}
        self.schemas = tuple(names.items())
        self._where = f"spark {url or '(active session)'}, databases {names['silver']}, {names['gold']}"
        self._depth = 0
        self._is_prepared = False
        self._staging = StagingScopes()
        self._closed = False
        self._shadow_schema: ShadowSchema | None = None
        self._prefix = f"headwater_{os.getpid()}_{next(_SESSION_NUMBERS)}_"
        self._spark = open_session(url, settings=settings)
        self._lake = LakeViews(self._spark, self._prefix)
        self._staged = TempViews(self._spark, self._prefix)
        self._tables = self._build_tables(url, path, table_format, names)
        if isinstance(self._tables, LocalTables) and table_format == "parquet":
            self._writes: DeltaWrites | ParquetWrites = ParquetWrites(self._tables, self.own_ref, self._run_own)
        else:
            self._writes = DeltaWrites(self._tables, self.own_ref, self._run_own)
        if not url.startswith("local"):
            # Local files are not on the machines of the cluster.
            self.capabilities = replace(self.capabilities, reads_lake=False)
        with self._translate_errors("open"):
            self._tables.open()

    def _build_tables(
        self, url: str, path: str, table_format: str, names: Mapping[SchemaName, str]
    ) -> LocalTables | CatalogTables:
        """Return the tables of a folder in local mode, else those of the catalog."""
        if url.startswith("local"):
            process = get_driver_process(self._spark)
            folder = Path(path or ".headwater/spark") / self.tenant
            return LocalTables(folder, databases=names, file_format=table_format, run=self._run_own, process=process)
        if table_format == "parquet":
            raise WarehouseError(
                "Parquet tables are for local mode",
                where="headwater.yaml, warehouse",
                details="format: parquet",
                hint="use `format: delta`, which supports several writers",
            )
        return CatalogTables(
            self.tenant, databases=names, path=path, run=self._run_own, schema=lambda ref: self._spark.table(ref).schema
        )

    def close(self) -> None:
        """Close the session; Spark itself continues for others."""
        self._lake.close()
        self._tables.close()
        if not self._closed:
            release_session(self._spark)
        self._closed = True
        if self._shadow_schema:
            self._shadow_schema.close()

    def erase(self) -> None:
        """Drop the tenant's databases with all their objects."""
        self._tables.erase()
        self.close()

    def ref(self, layer: SchemaName, name: str) -> str:
        """Return the quoted name of a table of this tenant in portable SQL. Rendering inserts the database's own name."""
        return f"{quote(layer)}.{quote(name)}"

    def own_ref(self, layer: SchemaName, name: str) -> str:
        """Return the quoted name of a table of this tenant in Spark's own SQL."""
        return f"{quote_name(dict(self.schemas)[layer])}.{quote_name(name)}"

    def ensure(self, table: Table) -> None:
        """Create the table, or add and widen columns of the stored one. Raises WarehouseError if a type cannot be widened."""
        stored = self._tables.describe(table.layer, table.name)
        if stored is None:
            self._create(table)
        else:
            self._fit_columns(table, stored)
        if table.has_validity:
            with self.transaction():
                self._tables.put_as_of(table.layer, table.name)

    def _create(self, table: Table) -> None:
        if not self._is_prepared:  # databases are not part of a transaction
            self._tables.prepare()
            self._is_prepared = True
        with self.transaction():
            self._tables.make(table.layer, table.name, tuple(map(_to_storage_column, table.columns)))

    def _fit_columns(self, table: Table, stored: Sequence[TableColumn]) -> None:
        types = {column.name: column.dtype for column in stored}
        wider = {
            column.name: _to_storage_column(column)
            for column in table.columns
            if column.name in types and type_sql(types[column.name]) != type_sql(column.dtype)
        }
        for column in wider.values():
            self._check_can_widen(table, column, types[column.name])
        added = [_to_storage_column(column) for column in table.columns if column.name not in types]
        if wider:
            columns = [replace(column, dtype=wider.get(column.name, column).dtype) for column in stored]
            with self.transaction():
                self._writes.replace_table(table.layer, table.name, columns)
        if added:
            with self.transaction():
                self._writes.add_columns(table.layer, table.name, added)

    def _check_can_widen(self, table: Table, column: TableColumn, stored: str) -> None:
        if not can_widen(stored, column.dtype):
            raise build_widening_error(table, column, stored, where=self._where)

    def ensure_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Create or replace a view."""
        with self.transaction():
            self._tables.put_view(layer, name, self._to_sql(select))

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Return the columns of a stored table or view, or None if it does not exist."""
        columns = self._tables.describe(layer, name)
        if columns is not None or not self._tables.is_view(layer, name):
            return columns
        with self._translate_errors(f"DESCRIBE {name}"):
            return ddl.parse_columns(self._spark.table(self.own_ref(layer, name)).schema)

    def tables(self, layer: SchemaName) -> tuple[str, ...]:
        """Return the names of the stored tables and views of a layer, sorted."""
        return self._tables.list_names(layer)

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view if it exists."""
        with self.transaction():
            self._tables.drop(layer, name)

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with their values."""
        stored = self._tables.describe(layer, name) or ()
        remaining = [column for column in stored if column.name not in columns]
        if len(remaining) < len(stored):
            with self.transaction():
                self._writes.replace_table(layer, name, remaining)

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Rename columns of a stored table (stored name -> new name). Rows and the order of columns stay."""
        stored = self._tables.describe(layer, name) or ()
        with self.transaction():
            self._writes.replace_table(layer, name, ddl.rename_columns(stored, names), names=names)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all statements inside together, or none. A nested transaction is part of the outer one.

        Spark commits each statement on its own. If a transaction fails, its changes are undone; if its process crashes, by
        the next writer.
        """
        with self._translate_errors("transaction"):
            if self._depth == 0:
                self._tables.begin()
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._tables.commit()
            except BaseException:
                if self._depth == 1:
                    self._tables.roll_back()
                raise
            finally:
                self._depth -= 1

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a small result."""
        with self._translate_errors(statement), self._expand_recursion(statement) as (expanded,):
            return [tuple(row) for row in self._run(self._to_sql(expanded), parameters).collect()]

    def answer_arrow(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the result of a statement in Spark's own dialect as a pyarrow Table."""
        with self._translate_errors(statement):
            return self._run(replace_schema_names(statement, "spark", self.schemas), parameters).toArrow()

    answer = answer_by_arrow

    def fetch_arrow(self, select: str) -> Any:
        """Return the result of a portable SELECT as a pyarrow Table."""
        with self._translate_errors(select), self._expand_recursion(select) as (expanded,):
            return self._run(self._to_sql(expanded)).toArrow()

    def schema_of(self, select: str) -> dict[str, str]:
        """Return the columns of a SELECT over stored tables and their types, as DuckDB infers them."""
        if self._shadow_schema is None:
            self._shadow_schema = ShadowSchema(self.tenant, self.describe)
        return self._shadow_schema.schema_of(select)

    def _to_sql(self, statement: str) -> str:
        """Render portable SQL in Spark's dialect."""
        text, columns = self._lake.replace_reads(statement)
        known = find_columns(text, self._tables.describe, self._staged.rows, self._prefix)
        return render(text, DIALECT, self.schemas, (*known, *columns))

    def _run_own(self, statement: str) -> Any:
        """Run a statement in Spark's own dialect."""
        with self._translate_errors(statement):
            return self._run(statement)

    def _run(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Send a statement to Spark. All statements use this method."""
        with self._tables.read_scope():
            return self._spark.sql(statement, args=list(parameters)) if parameters else self._spark.sql(statement)

    @contextmanager
    def _translate_errors(self, statement: str) -> Iterator[None]:
        try:
            yield
        except SPARK_ERRORS as error:
            raise to_warehouse_error(error, self._where, statement) from error

    def stage(self, name: str, rows: str | ArrowStream, *more: str) -> str:
        """Compute the rows of SELECTs, or of a stream, and store them as a temporary view; return its quoted name."""
        self._staging.add(name)
        if not isinstance(rows, str):
            with self._translate_errors(name):
                return self._staged.stage(name, self._spark.createDataFrame(pa.table(rows)))
        with self._expand_recursion(rows, *more) as expanded:
            texts = [self._to_sql(select) for select in expanded]
            text = " UNION ALL ".join(f"({part})" for part in texts) if more else texts[0]
            return self._stage_own(name, text)

    @contextmanager
    def _expand_recursion(self, *selects: str) -> Iterator[tuple[str, ...]]:
        """Yield the SELECTs with their recursive steps staged: Spark's own recursion would not end in a cycle."""
        expanded, names = list[str](), list[str]()
        for number, select in enumerate(selects):
            text, staged = expand_recursion(self, select)
            names += staged
            if staged and len(selects) > 1:  # the steps of the next SELECT have the same names
                names.append(f"recursion__part_{number}")
                text = f"SELECT * FROM {self._stage_own(names[-1], self._to_sql(text))}"
            expanded.append(text)
        try:
            yield tuple(expanded)
        finally:
            for name in names:
                self.unstage(name)

    def _stage_own(self, name: str, text: str) -> str:
        with self._translate_errors(text):
            return self._staged.stage(name, self._run(text))

    def staging(self) -> AbstractContextManager[None]:
        """Drop at the end the tables staged inside, except those that replace a table staged before."""
        return self._staging.open(self.unstage)

    def unstage(self, *names: str) -> None:
        """Drop temporary tables."""
        for name in names:
            self._staged.drop(self._staging.remove(name))

    def count(self, staged: str) -> int:
        """Count the rows of a staged relation; the number is known from staging."""
        with self._translate_errors(staged):
            return self._staged.count(staged)

    def digest(self, layer: SchemaName, name: str) -> str:
        """Return a text that changes when rows or columns of a table do, independent of the order of rows."""
        with self._translate_errors(f"digest {name}"):
            return spark_export.compute_digest(self._run, self.own_ref(layer, name), self.describe(layer, name) or ())

    def export(self, layer: SchemaName, name: str, path: str, file_format: FileFormat) -> int:
        """Write a table's rows to a new local file; return their number."""
        select = f"SELECT * FROM {self.own_ref(layer, name)}"
        with self._translate_errors(select):
            if isinstance(self._tables, LocalTables):
                return spark_export.write_locally(self._run(select), path, file_format)
            return spark_export.write_stream(self._run(select), self.describe(layer, name) or (), path, file_format)

    select_rows, is_small = select_rows_by_key, scan_costs_more

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Insert the rows of `select` (in the order of `columns`) into a stored table; return their number."""
        with self.transaction(), self._expand_recursion(select) as (expanded,):
            return self._writes.append(layer, name, columns, self._to_sql(expanded))

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Delete the rows that meet a condition over their own columns; return their number."""
        with self.transaction():
            return self._writes.delete(layer, name, self._condition_sql(where))

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Update the rows that meet a condition over their own columns; return their number."""
        own = {column: self._value_sql(value) for column, value in values.items()}
        with self.transaction():
            return self._writes.update(layer, name, own, self._condition_sql(where))

    def _condition_sql(self, where: str) -> str:
        return self._to_sql(f"SELECT 1 WHERE {where}").removeprefix("SELECT 1 WHERE ")

    def _value_sql(self, value: str) -> str:
        return self._to_sql(f"SELECT {value}").removeprefix("SELECT ")

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
        del stored  # Spark's rows have no ids
        staged = self._to_sql(f"SELECT * FROM {changes}").removeprefix("SELECT * FROM ")
        old_key, key = quote(next(iter(old_key_columns.values()))), quote(table.primary_key[0])
        insert_count, delete_count = self.rows(f"SELECT COUNT({key}), COUNT({old_key}) FROM {changes}")[0]
        extra = self._to_sql(inserts) if inserts else ""
        with self.transaction():
            if delete_count:
                return self._writes.apply(table, staged, old_key_columns=old_key_columns, inserts=extra)
            names, inserted = ddl.column_list_sql(table.names), 0
            texts = [f"SELECT {names} FROM {staged}"] if insert_count else []
            texts += [extra] if extra else []
            if texts:
                union = " UNION ALL ".join(f"({text})" for text in texts)
                inserted = self._writes.append(table.layer, table.name, table.names, union)
            return WriteCounts(inserted=inserted)

    def replace_rows(self, table: Table, *, keys: str, new_rows: str, stored: StagedRows | None = None) -> WriteCounts:
        """Make the stored rows whose `table.key` is in `keys` equal to `new_rows`, touching only rows that differ."""
        del stored  # Spark's rows have no ids
        columns = self._tables.describe(table.layer, table.name) or ()
        own_keys, own_rows = (
            self._to_sql(f"SELECT * FROM {staged}").removeprefix("SELECT * FROM ") for staged in (keys, new_rows)
        )
        with self.transaction():
            select = ddl.select_stored(table, self.own_ref(table.layer, table.name), keys=own_keys)
            before = self._stage_own("replaced__stored", select)
            own_stored = quote_name(before.strip('"'))
            stored_columns = [column for column in columns if column.name in table.names]
            text = ddl.select_differences(table, stored_columns, stored=own_stored, new_rows=own_rows)
            changes = self._stage_own("replaced__changes", text)
            own_changes = quote_name(changes.strip('"'))
            written = WriteCounts()
            counts = self.rows(f"SELECT COUNT(*), COUNT(CASE WHEN _gone THEN 1 END) FROM {changes}")[0]
            if counts[1]:
                written = self._writes.replace(table, own_changes)
            elif counts[0]:
                select = f"SELECT {ddl.column_list_sql(table.names)} FROM {own_changes}"
                written = WriteCounts(inserted=self._writes.append(table.layer, table.name, table.names, select))
        for name in ("replaced__stored", "replaced__changes"):
            self.unstage(name)
        return written


def _to_storage_column(column: TableColumn) -> TableColumn:
    """Return the column as Spark stores it: JSON is text."""
    return replace(column, dtype="text" if column.dtype == "json" else column.dtype)
