"""Postgres 15 and newer: three schemas a tenant in a database that many share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg

from headwater.dtypes import can_widen, render_dtype
from headwater.errors import WarehouseError
from headwater.names import quote
from headwater.warehouse import dml
from headwater.warehouse.base import (
    ArrowStream,
    Capabilities,
    FileFormat,
    SchemaName,
    StagedRows,
    Table,
    TableColumn,
    WriteCounts,
)
from headwater.warehouse.dialect.render import render, replace_schema_names
from headwater.warehouse.export import answer_by_arrow, write_rows
from headwater.warehouse.postgres import copy as postgres_copy
from headwater.warehouse.postgres import ddl
from headwater.warehouse.postgres import export as postgres_export
from headwater.warehouse.postgres.compat import find_replacements
from headwater.warehouse.postgres.connection import UNENFORCED, connect, describe_target, to_warehouse_error
from headwater.warehouse.postgres.functions import DIALECT
from headwater.warehouse.postgres.replace_rows import replace_rows
from headwater.warehouse.row_lookup import select_rows_by_key
from headwater.warehouse.shadow_schema import ShadowSchema
from headwater.warehouse.staging import StagingScopes

_MANY = 500
"""Of more rows put into a stored table that the planner knows nothing of, it is told at once."""


class Postgres:
    """A tenant's schemas in a Postgres database. Writers of a tenant wait for each other; `read_only` only looks."""

    capabilities = Capabilities(
        dialect=DIALECT,
        as_of_functions=True,
        holds_nul=False,
    )

    def __init__(self, tenant: str, url: str, memory: str = "", *, read_only: bool = False) -> None:
        self.tenant = tenant
        self.notes: tuple[str, ...] = ()
        self.schemas = ddl.schema_names(tenant)
        self._names: dict[str, str] = dict(self.schemas)
        self._where = f"{describe_target(url)}, schemas {tenant}_*"
        self._depth = 0
        self._staging = StagingScopes()
        self._mirror: ShadowSchema | None = None
        self._connection = connect(url, memory=memory, read_only=read_only)
        self._version = self._connection.info.server_version
        self._older = find_replacements(self._connection)

    def close(self) -> None:
        """Let go of the session."""
        if self._mirror:
            self._mirror.close()
        self._connection.close()

    def erase(self) -> None:
        """Drop the tenant's schemas and all that is in them."""
        with self.transaction():
            for schema in self._names.values():
                self._run(f"DROP SCHEMA IF EXISTS {quote(schema)} CASCADE")
        self.close()

    def ref(self, layer: SchemaName, name: str) -> str:
        """The quoted name of a table of this tenant in portable SQL, which is rendered with the schema's own name."""
        return f"{quote(layer)}.{quote(name)}"

    def own_ref(self, layer: SchemaName, name: str) -> str:
        """The quoted name of a table of this tenant in Postgres's own SQL."""
        return f"{quote(self._names[layer])}.{quote(name)}"

    def _ensure_schema(self, layer: SchemaName) -> None:
        """Make a schema where it is missing, and for history the extension that guards it at less cost."""
        schema = self._names[layer]
        if not self._run("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", (schema,)).fetchone():
            self._run(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
        if layer == "silver" and not self._has_gist():
            self._make_gist()

    def _has_gist(self) -> bool:
        return bool(self._run("SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'btree_gist'").fetchone())

    def _make_gist(self) -> None:
        with suppress(WarehouseError), self.transaction():
            self._run("SAVEPOINT extension")
            try:
                self._run("CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public")
            except WarehouseError:
                self._run("ROLLBACK TO SAVEPOINT extension")

    def ensure(self, table: Table) -> None:
        """Make the table, or add and widen columns of the stored one; WarehouseError where a type cannot be widened."""
        ddl.check_names(table)
        stored, ref = self.describe(table.layer, table.name), self.own_ref(table.layer, table.name)
        if stored is None:
            self._ensure_schema(table.layer)
            for statement in ddl.create_statements(table, ref, gist=self._has_gist()):
                self._run(statement)
            self._keep_keys(table)
        else:
            self._fit_columns(table, stored)
        if table.has_validity:
            self._run(ddl.as_of_function_sql(ref, self.own_ref(table.layer, f"{table.name}_asof")))

    def _fit_columns(self, table: Table, stored: Sequence[TableColumn]) -> None:
        ref, types = self.own_ref(table.layer, table.name), {column.name: column.dtype for column in stored}
        for column in table.columns:
            if column.name not in types:
                loose = TableColumn(name=column.name, dtype=column.dtype)
                self._run(f"ALTER TABLE {ref} ADD COLUMN {ddl.column_sql(loose)}")
            elif types[column.name] != column.dtype and (types[column.name], column.dtype) != ("text", "json"):
                self._widen(table, column, types[column.name])

    def _widen(self, table: Table, column: TableColumn, stored: str) -> None:
        if not can_widen(stored, column.dtype):
            raise dml.build_widening_error(table, column, stored, where=self._where)
        ref, name = self.own_ref(table.layer, table.name), quote(column.name)
        wanted = render_dtype(column.dtype, ddl.TYPES)
        # A column that a view shows keeps its type: our own views step aside for it.
        looking = self._run(ddl.LOOKING, (ref, self._names[table.layer])).fetchall()
        for schema, view, _ in looking:
            self._run(f"DROP VIEW {quote(schema)}.{quote(view)}")
        cast = f"CAST({name} AS {ddl.cast_type(column)})"
        self._run(f"ALTER TABLE {ref} ALTER COLUMN {name} TYPE {wanted} USING {cast}")
        for schema, view, select in looking:
            self._run(f"CREATE VIEW {quote(schema)}.{quote(view)} AS {select}")

    def _keep_keys(self, table: Table) -> None:
        """Declare the keys of a stored table where they are not declared yet, or otherwise."""
        ref = self.own_ref(table.layer, table.name)
        stored = self._run(ddl.KEYS, (ref,)).fetchall()
        own = [(name, tuple(columns)) for name, kind, columns in stored if kind != "f"]
        if table.primary_key and table.primary_key not in [columns for _, columns in own]:
            for name, _ in own:
                self._run(f"ALTER TABLE {ref} DROP CONSTRAINT {quote(name)}")
            self._run(ddl.unique_key_sql(table, ref))
        pointing = {columns for _, kind, columns in ((n, k, tuple(c)) for n, k, c in stored) if kind == "f"}
        for reference in table.references:
            wanted = self._version >= UNENFORCED and (reference.column,) not in pointing
            if wanted and self.describe("gold", reference.table) is not None:
                self._run(ddl.foreign_key_sql(reference, ref, self.own_ref("gold", reference.table)))

    def ensure_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Make or replace a view."""
        ref, shown = self.own_ref(layer, name), self._to_sql(select)
        with self.transaction():
            self._run("SAVEPOINT view")
            try:
                self._run(f"CREATE OR REPLACE VIEW {ref} AS {shown}")
            except WarehouseError:
                # It showed other columns, which a view can only be given by being made anew.
                self._run("ROLLBACK TO SAVEPOINT view")
                self._run(f"DROP VIEW {ref}")
                self._run(f"CREATE VIEW {ref} AS {shown}")

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Columns of a stored table or view; None when there is none."""
        found = self._run(ddl.DESCRIBE, (self._names[layer], name)).fetchall()
        columns = (TableColumn(name=row[0], dtype=ddl.dtype_of(row[1]), required=row[2]) for row in found)
        return tuple(columns) or None

    def tables(self, layer: SchemaName) -> tuple[str, ...]:
        """Names of the stored tables and views of a layer, sorted."""
        return tuple(row[0] for row in self._run(ddl.CATALOGUE, (self._names[layer],)).fetchall())

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view; nothing happens when there is none."""
        ref = self.own_ref(layer, name)
        for found, kind in self._run(ddl.CATALOGUE, (self._names[layer],)).fetchall():
            if found == name:
                for pointing, key in self._run(ddl.POINTING, (ref,)).fetchall():
                    self._run(f"ALTER TABLE {pointing} DROP CONSTRAINT {quote(key)}")
                self._run(f"DROP FUNCTION IF EXISTS {self.own_ref(layer, f'{name}_asof')}(TIMESTAMP)")
                self._run(f"DROP {'VIEW' if kind == 'v' else 'TABLE'} {ref}")

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with what they hold."""
        for column in columns:
            self._run(f"ALTER TABLE {self.own_ref(layer, name)} DROP COLUMN {quote(column)}")

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Give columns of a stored table other names (stored name -> name); rows and the order of columns stay."""
        for before, after in names.items():
            self._run(f"ALTER TABLE {self.own_ref(layer, name)} RENAME COLUMN {quote(before)} TO {quote(after)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside commit together, or none does. One inside another is part of the outer one.

        It waits until no other writer of the tenant is in one, and then sees all that those have done.
        """
        if self._depth == 0:
            self._run("BEGIN")
        self._depth += 1
        try:
            if self._depth == 1:
                self._run(f"SELECT pg_catalog.pg_advisory_xact_lock({ddl.lock_number_sql(self.tenant)})")
            yield
            if self._depth == 1:
                self._run("COMMIT")
        except BaseException:
            if self._depth == 1:
                with suppress(psycopg.Error):  # a session that is lost has undone everything already
                    self._connection.execute("ROLLBACK")
            raise
        finally:
            self._depth -= 1

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement; rows it wrote (0 where that means nothing)."""
        return _row_count(self._run(self._to_sql(statement), parameters))

    def execute_own(self, statement: str) -> int:
        """Run a statement in Postgres's own dialect; rows it wrote."""
        return _row_count(self._run(statement))

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a small answer."""
        return self._run(self._to_sql(statement), parameters).fetchall()

    def answer_arrow(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """The answer to a statement in Postgres's own dialect, as a pyarrow Table."""
        return self._table(self._run(replace_schema_names(statement, "postgres", self.schemas), parameters))

    answer = answer_by_arrow

    def fetch_arrow(self, select: str) -> Any:
        """The answer to a portable SELECT, as a pyarrow Table."""
        return self._table(self._run(self._to_sql(select)))

    def _table(self, cursor: Any) -> Any:
        described, known = cursor.description or [], self._connection.adapters.types
        types = [found.name if (found := known.get(column.type_code)) else "" for column in described]
        return postgres_copy.arrow_table([column.name for column in described], types, cursor.fetchall())

    def schema_of(self, select: str) -> dict[str, str]:
        """The columns of a SELECT over stored tables and their types, as DuckDB infers it."""
        if self._mirror is None:
            self._mirror = ShadowSchema(self.tenant, self.describe)
        return self._mirror.schema_of(select)

    def _to_sql(self, statement: str) -> str:
        """Portable SQL as this very server understands it."""
        text = render(statement, DIALECT, self.schemas)
        for newer, older in self._older:
            text = text.replace(newer, older)
        return text

    def _run(self, statement: str, parameters: Sequence[Any] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement.encode(), list(parameters) or None)
        except psycopg.Error as error:
            raise to_warehouse_error(error, self._where, statement) from error

    def stage(self, name: str, rows: str | ArrowStream, *more: str) -> str:
        """The rows of SELECTs, or of a stream, as a temporary table; the quoted name to use."""
        self._staging.add(name)
        if not isinstance(rows, str):
            return self._stage_stream(name, rows)
        return self.stage_own(name, " UNION ALL ".join(self._to_sql(part) for part in (rows, *more)))

    def stage_own(self, name: str, select: str) -> str:
        """The rows of a SELECT in Postgres's own dialect as a temporary table, which may be one of an earlier one."""
        arriving = f"{name}__next"
        self._run(f"CREATE TEMPORARY TABLE {quote(arriving)} AS {select}")
        self._drop_staged(name)
        self._run(f"ALTER TABLE pg_temp.{quote(arriving)} RENAME TO {quote(name)}")
        return self._analyze_staged(name)

    def _analyze_staged(self, name: str) -> str:
        """A staged table, looked at: of one that is not the planner thinks more than a thousand rows, and reads history whole."""
        ref = f"pg_temp.{quote(name)}"
        self._run(f"ANALYZE {ref}")
        return ref

    def _stage_stream(self, name: str, rows: ArrowStream) -> str:
        self._drop_staged(name)
        batches = postgres_copy.open_reader(rows)
        self._run(f"CREATE TEMPORARY TABLE {quote(name)} ({postgres_copy.columns_sql(batches.schema)})")
        try:
            with self._connection.cursor() as cursor:
                with cursor.copy(f"COPY pg_temp.{quote(name)} FROM STDIN (FORMAT csv)".encode()) as copy:
                    for text in postgres_copy.write_csv(batches):
                        copy.write(text)
                return self._analyze_staged(name)
        except psycopg.Error as error:
            raise to_warehouse_error(error, self._where, f"COPY {name}") from error

    def staging(self) -> AbstractContextManager[None]:
        """Drop at the end what is staged inside, but for tables that replace one that was staged before."""
        return self._staging.open(self.unstage)

    def unstage(self, name: str) -> None:
        """Drop a temporary table."""
        self._staging.remove(name)
        self._drop_staged(name)

    def _drop_staged(self, name: str) -> None:
        self._run(f"DROP TABLE IF EXISTS pg_temp.{quote(name)}")

    def count(self, staged: str) -> int:
        """How many rows a staged relation has."""
        return int(self.rows(f"SELECT COUNT(*) FROM {staged}")[0][0])

    def digest(self, layer: SchemaName, name: str) -> str:
        """A text that changes when rows or columns of a table do, whatever their order."""
        counted = self._run(postgres_export.select_digest(self.own_ref(layer, name))).fetchall()
        return postgres_export.format_digest(self.describe(layer, name) or (), counted[0])

    def export(self, layer: SchemaName, name: str, path: str, file_format: FileFormat) -> int:
        """Write a table's rows to a new file of this machine; how many."""
        columns, ref = self.describe(layer, name) or (), self.own_ref(layer, name)
        groups = postgres_export.read_row_groups(self._connection, ref, columns, where=self._where)
        with self.transaction():
            return write_rows(columns, groups, path, file_format)

    select_rows = select_rows_by_key

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Put the rows of `select` (in the order of `columns`) into a stored table; how many."""
        rows = dml.append(self.execute, self.ref(layer, name), columns, select)
        self._analyze(layer, name, rows)
        return rows

    def _analyze(self, layer: SchemaName, name: str, rows: int) -> None:
        """Tell the planner of a table's first rows: what comes next may be before the server does so by itself."""
        unknown = "SELECT 1 FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) AND reltuples < 0"
        ref = self.own_ref(layer, name)
        if rows > _MANY and self._run(unknown, (ref,)).fetchone():
            self._run(f"ANALYZE {ref}")

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Take away the rows of a stored table that hold a condition over their own columns."""
        return dml.delete(self.execute, self.ref(layer, name), where)

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Set columns of the rows that hold a condition over their own columns; how many."""
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
        """Bring changes into a stored table: rows that go, rows that come, and rows that take another one's place."""
        del stored  # an index finds them
        ref = self.ref(table.layer, table.name)
        with self.transaction():
            written = dml.apply(
                self.execute,
                ref,
                table,
                changes,
                old_key_columns=old_key_columns,
                inserts=inserts,
            )
            self._analyze(table.layer, table.name, written.inserted)
        return written

    def replace_rows(self, table: Table, *, keys: str, new_rows: str, stored: StagedRows | None = None) -> WriteCounts:
        """Make the stored rows whose `table.key` is in `keys` equal to `new_rows`, touching only rows that differ."""
        del stored  # an index finds them
        with self.transaction():
            written = replace_rows(self, table, keys=keys, new_rows=new_rows)
            self._keep_keys(table)
            self._analyze(table.layer, table.name, written.inserted)
        return written


def _row_count(cursor: psycopg.Cursor[tuple[Any, ...]]) -> int:
    verb = (cursor.statusmessage or "").split(" ")[0]
    return cursor.rowcount if verb in {"INSERT", "UPDATE", "DELETE"} else 0
