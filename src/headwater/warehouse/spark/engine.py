"""Spark 4: three databases a tenant, with Delta or Parquet tables; nothing is collected to the driver."""

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
from headwater.warehouse.row_lookup import select_rows_by_key
from headwater.warehouse.shadow_schema import ShadowSchema
from headwater.warehouse.spark import ddl
from headwater.warehouse.spark import export as spark_export
from headwater.warehouse.spark.column_types import find_columns
from headwater.warehouse.spark.connection import (
    REFUSALS,
    database_name,
    driver_process,
    give_back,
    open_session,
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

_OPENED = itertools.count(1)


class Spark:
    """A tenant's databases in Spark. Writers of a tenant wait for each other; others may look meanwhile."""

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
        names = {layer: database_name(tenant, layer) for layer in LAYERS}
        self.schemas = tuple(names.items())
        self._where = f"spark {url or '(active session)'}, databases {names['silver']}, {names['gold']}"
        self._depth = 0
        self._is_prepared = False
        self._staging = StagingScopes()
        self._closed = False
        self._mirror: ShadowSchema | None = None
        self._prefix = f"headwater_{os.getpid()}_{next(_OPENED)}_"
        self._spark = open_session(url, settings=settings)
        self._lake = LakeViews(self._spark, self._prefix)
        self._staged = TempViews(self._spark, self._prefix)
        self._tables = self._tables_at(url, path, table_format, names)
        if isinstance(self._tables, LocalTables) and table_format == "parquet":
            self._writes: DeltaWrites | ParquetWrites = ParquetWrites(self._tables, self.own_ref, self._run_own)
        else:
            self._writes = DeltaWrites(self._tables, self.own_ref, self._run_own)
        if not url.startswith("local"):
            # Files of this machine are not those of the machines that work.
            self.capabilities = replace(self.capabilities, reads_lake=False)
        with self._translate_errors("open"):
            self._tables.open()

    def _tables_at(
        self, url: str, path: str, table_format: str, names: Mapping[SchemaName, str]
    ) -> LocalTables | CatalogTables:
        """The tables of a folder in local mode, those of the catalog otherwise."""
        if url.startswith("local"):
            process = driver_process(self._spark)
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
        """Let go of the session; the Spark that others use goes on."""
        self._lake.close()
        self._tables.close()
        if not self._closed:
            give_back(self._spark)
        self._closed = True
        if self._mirror:
            self._mirror.close()

    def erase(self) -> None:
        """Drop the tenant's databases and all that is in them."""
        self._tables.erase()
        self.close()

    def ref(self, layer: SchemaName, name: str) -> str:
        """The quoted name of a table of this tenant in portable SQL, which is rendered with the database's own name."""
        return f"{quote(layer)}.{quote(name)}"

    def own_ref(self, layer: SchemaName, name: str) -> str:
        """The quoted name of a table of this tenant in Spark's own SQL."""
        return f"{quote_name(dict(self.schemas)[layer])}.{quote_name(name)}"

    def ensure(self, table: Table) -> None:
        """Make the table, or add and widen columns of the stored one; WarehouseError where a type cannot be widened."""
        stored = self._tables.columns(table.layer, table.name)
        if stored is None:
            self._make(table)
        else:
            self._fit_columns(table, stored)
        if table.has_validity:
            with self.transaction():
                self._tables.put_as_of(table.layer, table.name)

    def _make(self, table: Table) -> None:
        if not self._is_prepared:  # databases stay, whatever becomes of a transaction
            self._tables.prepare()
            self._is_prepared = True
        with self.transaction():
            self._tables.make(table.layer, table.name, tuple(map(_storage_column, table.columns)))

    def _fit_columns(self, table: Table, stored: Sequence[TableColumn]) -> None:
        types = {column.name: column.dtype for column in stored}
        wider = {
            column.name: _storage_column(column)
            for column in table.columns
            if column.name in types and type_sql(types[column.name]) != type_sql(column.dtype)
        }
        for column in wider.values():
            self._check_widens(table, column, types[column.name])
        added = [_storage_column(column) for column in table.columns if column.name not in types]
        if wider:
            columns = [replace(column, dtype=wider.get(column.name, column).dtype) for column in stored]
            with self.transaction():
                self._writes.remake(table.layer, table.name, columns)
        if added:
            with self.transaction():
                self._writes.add_columns(table.layer, table.name, added)

    def _check_widens(self, table: Table, column: TableColumn, stored: str) -> None:
        if not can_widen(stored, column.dtype):
            raise build_widening_error(table, column, stored, where=self._where)

    def ensure_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Make or replace a view."""
        with self.transaction():
            self._tables.put_view(layer, name, self._to_sql(select))

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Columns of a stored table or view; None when there is none."""
        found = self._tables.columns(layer, name)
        if found is not None or not self._tables.is_view(layer, name):
            return found
        with self._translate_errors(f"DESCRIBE {name}"):
            return ddl.parse_columns(self._spark.table(self.own_ref(layer, name)).schema)

    def tables(self, layer: SchemaName) -> tuple[str, ...]:
        """Names of the stored tables and views of a layer, sorted."""
        return self._tables.names(layer)

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view; nothing happens when there is none."""
        with self.transaction():
            self._tables.drop(layer, name)

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with what they hold."""
        stored = self._tables.columns(layer, name) or ()
        kept = [column for column in stored if column.name not in columns]
        if len(kept) < len(stored):
            with self.transaction():
                self._writes.remake(layer, name, kept)

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Give columns of a stored table other names (stored name -> name); rows and the order of columns stay."""
        stored = self._tables.columns(layer, name) or ()
        with self.transaction():
            self._writes.remake(layer, name, ddl.rename_columns(stored, names), names=names)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside count together, or none does. One inside another is part of the outer one.

        Spark commits each statement of its own; what a transaction has touched is brought back when it does not end well,
        by whoever comes next if its process is gone.
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
        """The rows of a small answer."""
        with self._translate_errors(statement), self._expand_recursion(statement) as (plain,):
            return [tuple(row) for row in self._run(self._to_sql(plain), parameters).collect()]

    def answer_arrow(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """The answer to a statement in Spark's own dialect, as a pyarrow Table."""
        with self._translate_errors(statement):
            return self._run(replace_schema_names(statement, "spark", self.schemas), parameters).toArrow()

    answer = answer_by_arrow

    def fetch_arrow(self, select: str) -> Any:
        """The answer to a portable SELECT, as a pyarrow Table."""
        with self._translate_errors(select), self._expand_recursion(select) as (plain,):
            return self._run(self._to_sql(plain)).toArrow()

    def schema_of(self, select: str) -> dict[str, str]:
        """The columns of a SELECT over stored tables and their types, as DuckDB infers it."""
        if self._mirror is None:
            self._mirror = ShadowSchema(self.tenant, self.describe)
        return self._mirror.schema_of(select)

    def _to_sql(self, statement: str) -> str:
        """Portable SQL in Spark's dialect."""
        text, columns = self._lake.replace_reads(statement)
        known = find_columns(text, self._tables.columns, self._staged.rows, self._prefix)
        return render(text, DIALECT, self.schemas, (*known, *columns))

    def _run_own(self, statement: str) -> Any:
        """Run a statement in Spark's own dialect."""
        with self._translate_errors(statement):
            return self._run(statement)

    def _run(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """The one place through which statements go to Spark."""
        with self._tables.read_scope():
            return self._spark.sql(statement, args=list(parameters)) if parameters else self._spark.sql(statement)

    @contextmanager
    def _translate_errors(self, statement: str) -> Iterator[None]:
        try:
            yield
        except REFUSALS as error:
            raise to_warehouse_error(error, self._where, statement) from error

    def stage(self, name: str, rows: str | ArrowStream, *more: str) -> str:
        """The rows of SELECTs, or of a stream, as a temporary view of what was worked out now; the quoted name to use."""
        self._staging.add(name)
        if not isinstance(rows, str):
            with self._translate_errors(name):
                return self._staged.keep(name, self._spark.createDataFrame(pa.table(rows)))
        with self._expand_recursion(rows, *more) as plain:
            text = " UNION ALL ".join(f"({self._to_sql(one)})" for one in plain) if more else self._to_sql(plain[0])
            return self._stage_own(name, text)

    @contextmanager
    def _expand_recursion(self, *selects: str) -> Iterator[tuple[str, ...]]:
        """SELECTs whose recursive steps have been worked out: Spark's own recursion would follow a circle for ever."""
        plain, names = list[str](), list[str]()
        for number, select in enumerate(selects):
            text, staged = expand_recursion(self, select)
            names += staged
            if staged and len(selects) > 1:  # the next one's steps go by the same names
                names.append(f"recursion__part_{number}")
                text = f"SELECT * FROM {self._stage_own(names[-1], self._to_sql(text))}"
            plain.append(text)
        try:
            yield tuple(plain)
        finally:
            for name in names:
                self.unstage(name)

    def _stage_own(self, name: str, text: str) -> str:
        with self._translate_errors(text):
            return self._staged.keep(name, self._run(text))

    def staging(self) -> AbstractContextManager[None]:
        """Drop at the end what is staged inside, but for tables that replace one that was staged before."""
        return self._staging.open(self.unstage)

    def unstage(self, name: str) -> None:
        """Drop a temporary table."""
        self._staging.remove(name)
        self._staged.drop(name)

    def count(self, staged: str) -> int:
        """How many rows a staged relation has: known since it was staged."""
        with self._translate_errors(staged):
            return self._staged.count(staged)

    def digest(self, layer: SchemaName, name: str) -> str:
        """A text that changes when rows or columns of a table do, whatever their order."""
        with self._translate_errors(f"digest {name}"):
            return spark_export.compute_digest(self._run, self.own_ref(layer, name), self.describe(layer, name) or ())

    def export(self, layer: SchemaName, name: str, path: str, file_format: FileFormat) -> int:
        """Write a table's rows to a new file of this machine; how many."""
        select = f"SELECT * FROM {self.own_ref(layer, name)}"
        with self._translate_errors(select):
            if isinstance(self._tables, LocalTables):
                return spark_export.write_locally(self._run(select), path, file_format)
            return spark_export.write_stream(self._run(select), self.describe(layer, name) or (), path, file_format)

    select_rows = select_rows_by_key

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Put the rows of `select` (in the order of `columns`) into a stored table; how many."""
        with self.transaction(), self._expand_recursion(select) as (plain,):
            return self._writes.append(layer, name, columns, self._to_sql(plain))

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Take away the rows of a stored table that hold a condition over their own columns."""
        with self.transaction():
            return self._writes.delete(layer, name, self._condition(where))

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Set columns of the rows that hold a condition over their own columns; how many."""
        own = {column: self._value(value) for column, value in values.items()}
        with self.transaction():
            return self._writes.update(layer, name, own, self._condition(where))

    def _condition(self, where: str) -> str:
        return self._to_sql(f"SELECT 1 WHERE {where}").removeprefix("SELECT 1 WHERE ")

    def _value(self, value: str) -> str:
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
        """Bring changes into a stored table: rows that go, rows that come, and rows that take another one's place."""
        del stored  # Spark's rows have no ids
        staged = self._to_sql(f"SELECT * FROM {changes}").removeprefix("SELECT * FROM ")
        old_key, key = quote(next(iter(old_key_columns.values()))), quote(table.primary_key[0])
        coming, going = self.rows(f"SELECT COUNT({key}), COUNT({old_key}) FROM {changes}")[0]
        extra = self._to_sql(inserts) if inserts else ""
        with self.transaction():
            if going:
                return self._writes.apply(table, staged, old_key_columns=old_key_columns, inserts=extra)
            names, inserted = ddl.column_list_sql(table.names), 0
            texts = [f"SELECT {names} FROM {staged}"] if coming else []
            texts += [extra] if extra else []
            if texts:
                union = " UNION ALL ".join(f"({text})" for text in texts)
                inserted = self._writes.append(table.layer, table.name, table.names, union)
            return WriteCounts(inserted=inserted)

    def replace_rows(self, table: Table, *, keys: str, new_rows: str, stored: StagedRows | None = None) -> WriteCounts:
        """Make the stored rows whose `table.key` is in `keys` equal to `new_rows`, touching only rows that differ."""
        del stored  # Spark's rows have no ids
        columns = self._tables.columns(table.layer, table.name) or ()
        own_keys, own_rows = (
            self._to_sql(f"SELECT * FROM {staged}").removeprefix("SELECT * FROM ") for staged in (keys, new_rows)
        )
        with self.transaction():
            select = ddl.select_stored(table, self.own_ref(table.layer, table.name), keys=own_keys)
            before = self._stage_own("replaced__stored", select)
            own_stored = quote_name(before.strip('"'))
            wanted = [column for column in columns if column.name in table.names]
            text = ddl.select_differences(table, wanted, stored=own_stored, new_rows=own_rows)
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


def _storage_column(column: TableColumn) -> TableColumn:
    """A column as it is once stored: JSON is text."""
    return replace(column, dtype="text" if column.dtype == "json" else column.dtype)
