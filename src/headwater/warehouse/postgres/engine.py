"""Postgres 15 and newer: three schemas per tenant in a database that many tenants share."""

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
from headwater.warehouse.row_lookup import scan_costs_more, select_rows_by_key
from headwater.warehouse.shadow_schema import ShadowSchema
from headwater.warehouse.staging import StagingScopes

_MANY = 500
"""After an insert of more rows than this into a table without statistics, the table is analyzed at once."""


class Postgres:
    """A tenant's schemas in a Postgres database. Writers of a tenant wait for each other; `read_only` allows no writes."""

    capabilities = Capabilities(
        dialect=DIALECT,
        as_of_functions=True,
        holds_nul=False,
    )

    def __init__(self, tenant: str, url: str, memory: str = "", *, read_only: bool = False) -> None:
        self.tenant = tenant
        self.notes: tuple[str, ...] = ()
        self.schemas = ddl.list_schemas(tenant)
        self._names: dict[str, str] = dict(self.schemas)
        self._where = f"{describe_target(url)}, schemas {tenant}_*"
        self._depth = 0
        self._staging = StagingScopes()
        self._shadow_schema: ShadowSchema | None = None
        self._connection = connect(url, memory=memory, read_only=read_only)
        self._version = self._connection.info.server_version
        self._replacements = find_replacements(self._connection)

    def close(self) -> None:
        """Close the session."""
        if self._shadow_schema:
            self._shadow_schema.close()
        self._connection.close()

    def erase(self) -> None:
        """Drop the tenant's schemas with all their objects."""
        with self.transaction():
            for schema in self._names.values():
                self._run(f"DROP SCHEMA IF EXISTS {quote(schema)} CASCADE")
        self.close()

    def ref(self, layer: SchemaName, name: str) -> str:
        """Return the quoted name of a table of this tenant in portable SQL. Rendering inserts the schema's own name."""
        return f"{quote(layer)}.{quote(name)}"

    def own_ref(self, layer: SchemaName, name: str) -> str:
        """Return the quoted name of a table of this tenant in Postgres's own SQL."""
        return f"{quote(self._names[layer])}.{quote(name)}"

    def _ensure_schema(self, layer: SchemaName) -> None:
        """Create a schema if it is missing, and for silver the extension for the cheaper constraint on versions."""
        schema = self._names[layer]
        if not self._run("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", (schema,)).fetchone():
            self._run(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
        if layer == "silver" and not self._has_gist():
            self._install_gist()

    def _has_gist(self) -> bool:
        return bool(self._run("SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'btree_gist'").fetchone())

    def _install_gist(self) -> None:
        with suppress(WarehouseError), self.transaction():
            self._run("SAVEPOINT extension")
            try:
                self._run("CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public")
            except WarehouseError:
                self._run("ROLLBACK TO SAVEPOINT extension")

    def ensure(self, table: Table) -> None:
        """Create the table, or add and widen columns of the stored one. Raises WarehouseError if a type cannot be widened."""
        ddl.check_names(table)
        stored, ref = self.describe(table.layer, table.name), self.own_ref(table.layer, table.name)
        if stored is None:
            self._ensure_schema(table.layer)
            for statement in ddl.create_statements(table, ref, gist=self._has_gist()):
                self._run(statement)
            self._ensure_keys(table)
        else:
            self._fit_columns(table, stored)
        if table.has_validity:
            self._run(ddl.as_of_function_sql(ref, self.own_ref(table.layer, f"{table.name}_asof")))

    def _fit_columns(self, table: Table, stored: Sequence[TableColumn]) -> None:
        ref, types = self.own_ref(table.layer, table.name), {column.name: column.dtype for column in stored}
        for column in table.columns:
            if column.name not in types:
                nullable = TableColumn(name=column.name, dtype=column.dtype)
                self._run(f"ALTER TABLE {ref} ADD COLUMN {ddl.column_sql(nullable)}")
            elif types[column.name] != column.dtype and (types[column.name], column.dtype) != ("text", "json"):
                self._widen(table, column, types[column.name])

    def _widen(self, table: Table, column: TableColumn, stored: str) -> None:
        if not can_widen(stored, column.dtype):
            raise dml.build_widening_error(table, column, stored, where=self._where)
        ref, name = self.own_ref(table.layer, table.name), quote(column.name)
        wanted = render_dtype(column.dtype, ddl.TYPES)
        # A column that a view reads cannot change its type, so Headwater's own views are dropped and created again.
        dependent_views = self._run(ddl.DEPENDENT_VIEWS, (ref, self._names[table.layer])).fetchall()
        for schema, view, _ in dependent_views:
            self._run(f"DROP VIEW {quote(schema)}.{quote(view)}")
        cast = f"CAST({name} AS {ddl.to_cast_type(column)})"
        self._run(f"ALTER TABLE {ref} ALTER COLUMN {name} TYPE {wanted} USING {cast}")
        for schema, view, select in dependent_views:
            self._run(f"CREATE VIEW {quote(schema)}.{quote(view)} AS {select}")

    def _ensure_keys(self, table: Table) -> None:
        """Declare the keys of a stored table that are missing or differ."""
        ref = self.own_ref(table.layer, table.name)
        stored = self._run(ddl.KEYS, (ref,)).fetchall()
        primary = [(name, tuple(columns)) for name, kind, columns in stored if kind != "f"]
        if table.primary_key and table.primary_key not in [columns for _, columns in primary]:
            for name, _ in primary:
                self._run(f"ALTER TABLE {ref} DROP CONSTRAINT {quote(name)}")
            self._run(ddl.unique_key_sql(table, ref))
        referring = {columns for _, kind, columns in ((n, k, tuple(c)) for n, k, c in stored) if kind == "f"}
        for reference in table.references:
            is_missing = self._version >= UNENFORCED and (reference.column,) not in referring
            if is_missing and self.describe("gold", reference.table) is not None:
                self._run(ddl.foreign_key_sql(reference, ref, self.own_ref("gold", reference.table)))

    def ensure_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Create or replace a view."""
        ref, sql = self.own_ref(layer, name), self._to_sql(select)
        with self.transaction():
            self._run("SAVEPOINT view")
            try:
                self._run(f"CREATE OR REPLACE VIEW {ref} AS {sql}")
            except WarehouseError:
                # CREATE OR REPLACE cannot change the columns of a view.
                self._run("ROLLBACK TO SAVEPOINT view")
                self._run(f"DROP VIEW {ref}")
                self._run(f"CREATE VIEW {ref} AS {sql}")

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Return the columns of a stored table or view, or None if it does not exist."""
        rows = self._run(ddl.DESCRIBE, (self._names[layer], name)).fetchall()
        columns = (TableColumn(name=row[0], dtype=ddl.to_dtype(row[1]), required=row[2]) for row in rows)
        return tuple(columns) or None

    def tables(self, layer: SchemaName) -> tuple[str, ...]:
        """Return the names of the stored tables and views of a layer, sorted."""
        return tuple(row[0] for row in self._run(ddl.CATALOG, (self._names[layer],)).fetchall())

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view if it exists."""
        ref = self.own_ref(layer, name)
        for stored, kind in self._run(ddl.CATALOG, (self._names[layer],)).fetchall():
            if stored == name:
                for referring, key in self._run(ddl.INCOMING_FOREIGN_KEYS, (ref,)).fetchall():
                    self._run(f"ALTER TABLE {referring} DROP CONSTRAINT {quote(key)}")
                self._run(f"DROP FUNCTION IF EXISTS {self.own_ref(layer, f'{name}_asof')}(TIMESTAMP)")
                self._run(f"DROP {'VIEW' if kind == 'v' else 'TABLE'} {ref}")

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with their values."""
        for column in columns:
            self._run(f"ALTER TABLE {self.own_ref(layer, name)} DROP COLUMN {quote(column)}")

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Rename columns of a stored table (stored name -> new name). Rows and the order of columns stay."""
        for before, after in names.items():
            self._run(f"ALTER TABLE {self.own_ref(layer, name)} RENAME COLUMN {quote(before)} TO {quote(after)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all statements inside together, or none. A nested transaction is part of the outer one.

        It waits for the transactions of the tenant's other writers, and then sees their changes.
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
                with suppress(psycopg.Error):  # a lost session has already rolled back
                    self._connection.execute("ROLLBACK")
            raise
        finally:
            self._depth -= 1

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement; return how many rows it wrote, 0 for statements that write none."""
        return _count_rows(self._run(self._to_sql(statement), parameters))

    def execute_own(self, statement: str) -> int:
        """Run a statement in Postgres's own dialect; return how many rows it wrote."""
        return _count_rows(self._run(statement))

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a small result."""
        return self._run(self._to_sql(statement), parameters).fetchall()

    def answer_arrow(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the result of a statement in Postgres's own dialect as a pyarrow Table."""
        return self._to_arrow(self._run(replace_schema_names(statement, "postgres", self.schemas), parameters))

    answer = answer_by_arrow

    def fetch_arrow(self, select: str) -> Any:
        """Return the result of a portable SELECT as a pyarrow Table."""
        return self._to_arrow(self._run(self._to_sql(select)))

    def _to_arrow(self, cursor: Any) -> Any:
        columns, adapters = cursor.description or [], self._connection.adapters.types
        types = [info.name if (info := adapters.get(column.type_code)) else "" for column in columns]
        return postgres_copy.build_arrow_table([column.name for column in columns], types, cursor.fetchall())

    def schema_of(self, select: str) -> dict[str, str]:
        """Return the columns of a SELECT over stored tables and their types, as DuckDB infers them."""
        if self._shadow_schema is None:
            self._shadow_schema = ShadowSchema(self.tenant, self.describe)
        return self._shadow_schema.schema_of(select)

    def _to_sql(self, statement: str) -> str:
        """Render portable SQL for this server."""
        text = render(statement, DIALECT, self.schemas)
        for newer, older in self._replacements:
            text = text.replace(newer, older)
        return text

    def _run(self, statement: str, parameters: Sequence[Any] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement.encode(), list(parameters) or None)
        except psycopg.Error as error:
            raise to_warehouse_error(error, self._where, statement) from error

    def stage(self, name: str, rows: str | ArrowStream, *more: str) -> str:
        """Store the rows of SELECTs, or of a stream, in a temporary table; return its quoted name."""
        self._staging.add(name)
        if not isinstance(rows, str):
            return self._stage_stream(name, rows)
        return self.stage_own(name, " UNION ALL ".join(self._to_sql(part) for part in (rows, *more)))

    def stage_own(self, name: str, select: str) -> str:
        """Store the rows of a SELECT in Postgres's own dialect in a temporary table; return its name. The SELECT can read it."""
        next_name = f"{name}__next"
        self._run(f"CREATE TEMPORARY TABLE {quote(next_name)} AS {select}")
        self._drop_staged(name)
        self._run(f"ALTER TABLE pg_temp.{quote(next_name)} RENAME TO {quote(name)}")
        return self._analyze_staged(name)

    def _analyze_staged(self, name: str) -> str:
        """Analyze a staged table. Without statistics the planner assumes over a thousand rows, and scans whole histories."""
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
        """Drop at the end the tables staged inside, except those that replace a table staged before."""
        return self._staging.open(self.unstage)

    def unstage(self, *names: str) -> None:
        """Drop temporary tables."""
        for name in names:
            self._staging.remove(name)
        if names:
            self._drop_staged(*names)

    def _drop_staged(self, *names: str) -> None:
        self._run(f"DROP TABLE IF EXISTS {', '.join(f'pg_temp.{quote(name)}' for name in names)}")

    def count(self, staged: str) -> int:
        """Count the rows of a staged relation."""
        return int(self.rows(f"SELECT COUNT(*) FROM {staged}")[0][0])

    def digest(self, layer: SchemaName, name: str) -> str:
        """Return a text that changes when rows or columns of a table do, independent of the order of rows."""
        totals = self._run(postgres_export.select_digest(self.own_ref(layer, name))).fetchall()
        return postgres_export.format_digest(self.describe(layer, name) or (), totals[0])

    def export(self, layer: SchemaName, name: str, path: str, file_format: FileFormat) -> int:
        """Write a table's rows to a new local file; return their number."""
        columns, ref = self.describe(layer, name) or (), self.own_ref(layer, name)
        groups = postgres_export.read_row_groups(self._connection, ref, columns, where=self._where)
        with self.transaction():
            return write_rows(columns, groups, path, file_format)

    select_rows = select_rows_by_key
    is_small = scan_costs_more

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Insert the rows of `select` (in the order of `columns`) into a stored table; return their number."""
        rows = dml.append(self.execute, self.ref(layer, name), columns, select)
        self._analyze(layer, name, rows)
        return rows

    def _analyze(self, layer: SchemaName, name: str, rows: int) -> None:
        """Analyze a table after its first rows: the next statement may run before the server analyzes it."""
        select = "SELECT 1 FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) AND reltuples < 0"
        ref = self.own_ref(layer, name)
        if rows > _MANY and self._run(select, (ref,)).fetchone():
            self._run(f"ANALYZE {ref}")

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
        del stored  # an index finds the rows
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
        del stored  # an index finds the rows
        with self.transaction():
            written = replace_rows(self, table, keys=keys, new_rows=new_rows)
            self._ensure_keys(table)
            self._analyze(table.layer, table.name, written.inserted)
        return written


def _count_rows(cursor: psycopg.Cursor[tuple[Any, ...]]) -> int:
    verb = (cursor.statusmessage or "").split(" ")[0]
    return cursor.rowcount if verb in {"INSERT", "UPDATE", "DELETE"} else 0
