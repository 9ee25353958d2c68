"""Redshift: three schemas a tenant in a database that many share. It has never met a real cluster, see `Redshift`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pyarrow as pa

from headwater.names import quote
from headwater.warehouse import dml
from headwater.warehouse.base import ArrowStream, Capabilities, SchemaName, StagedRows, Table, TableColumn, WriteCounts
from headwater.warehouse.dialect.recursion import expand_recursion
from headwater.warehouse.dialect.render import replace_schema_names
from headwater.warehouse.export import answer_by_arrow
from headwater.warehouse.postgres.copy import arrow_table
from headwater.warehouse.postgres.ddl import schema_names
from headwater.warehouse.redshift import copy as redshift_stage
from headwater.warehouse.redshift.catalog import Catalog
from headwater.warehouse.redshift.connection import Connection, connect, describe_target, type_name
from headwater.warehouse.redshift.functions import DIALECT
from headwater.warehouse.redshift.replace_rows import apply_changes, replace_rows
from headwater.warehouse.redshift.rewrite import rewrite
from headwater.warehouse.redshift.session import RedshiftSession
from headwater.warehouse.row_lookup import select_rows_by_key
from headwater.warehouse.shadow_schema import ShadowSchema
from headwater.warehouse.staging import StagingScopes

_UNTRIED = (
    "Redshift was written from its documentation and tried on Postgres in its place; "
    "it has never met a real cluster (see docs/guides/redshift.md)"
)


class Redshift:
    """A tenant's schemas in a Redshift database. Writers of a tenant wait for each other; `read_only` only looks.

    No statement of this class was ever run by a real cluster. What is tested: that every statement the core sends is of
    Redshift's dialect and uses nothing that its documentation excludes, and that the same statements, with the few words
    exchanged that only Redshift knows, give on Postgres the rows that DuckDB gives.
    """

    capabilities = Capabilities(dialect=DIALECT, holds_nul=False)

    def __init__(
        self,
        tenant: str,
        url: str,
        *,
        stage: str,
        iam_role: str,
        read_only: bool = False,
        connect: Callable[[str], Connection] = connect,
    ) -> None:
        self.tenant = tenant
        self.notes: tuple[str, ...] = (_UNTRIED,)
        self.schemas = schema_names(tenant)
        self._where = f"{describe_target(url)}, schemas {tenant}_*"
        self._role = iam_role
        self._files = redshift_stage.CopyStage(stage, tenant)
        self._mirror: ShadowSchema | None = None
        self._staging = StagingScopes()
        names = dict(self.schemas)
        self._session = RedshiftSession(connect(url), meta=names["meta"], where=self._where, read_only=read_only)
        self._catalogue = Catalog(
            names=names, where=self._where, run=self._session.run, transaction=self._session.transaction
        )

    def close(self) -> None:
        """Let go of the session."""
        if self._mirror:
            self._mirror.close()
        self._files.close()
        self._session.close()

    def erase(self) -> None:
        """Drop the tenant's schemas and all that is in them."""
        for _, schema in self.schemas:
            self._session.run(f"DROP SCHEMA IF EXISTS {quote(schema)} CASCADE")
        self.close()

    def ref(self, layer: SchemaName, name: str) -> str:
        """The quoted name of a table of this tenant in portable SQL, which is rendered with the schema's own name."""
        return f"{quote(layer)}.{quote(name)}"

    def ensure(self, table: Table) -> None:
        """Make the table, or add and widen columns of the stored one; WarehouseError where a type cannot be widened.

        Redshift has no functions that return rows, so none asks a table for a past day.
        """
        self._catalogue.ensure(table)

    def ensure_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Make or replace a view. It is bound late, so that a table can be made anew below it."""
        ref = self._catalogue.ref(layer, name)
        with self.transaction():
            self._session.run(f"DROP VIEW IF EXISTS {ref}")
            self._session.run(f"CREATE VIEW {ref} AS {self._to_sql(select)} WITH NO SCHEMA BINDING")

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Columns of a stored table or view; None when there is none."""
        return self._catalogue.describe(layer, name)

    def tables(self, layer: SchemaName) -> tuple[str, ...]:
        """Names of the stored tables and views of a layer, sorted."""
        return tuple(name for name, _ in self._catalogue.list_tables(layer))

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view; nothing happens when there is none."""
        self._catalogue.drop(layer, name)

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with what they hold."""
        self._catalogue.drop_columns(layer, name, columns)

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Give columns of a stored table other names (stored name -> name); rows and the order of columns stay."""
        self._catalogue.rename_columns(layer, name, names)

    def transaction(self) -> AbstractContextManager[None]:
        """All statements inside commit together, or none does. It waits until no other writer is in one."""
        return self._session.transaction()

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a small answer."""
        plain, staged = expand_recursion(self, statement)
        found = self._session.run(self._to_sql(plain), parameters).fetchall()
        for name in staged:
            self.unstage(name)
        return found

    def answer_arrow(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """The answer to a statement in Redshift's own dialect, as a pyarrow Table."""
        return self._table(self._session.run(replace_schema_names(statement, "redshift", self.schemas), parameters))

    answer = answer_by_arrow

    def fetch_arrow(self, select: str) -> Any:
        """The answer to a portable SELECT, as a pyarrow Table."""
        return self._table(self._session.run(self._to_sql(select)))

    def _table(self, cursor: Any) -> Any:
        described = cursor.description or []
        types = [type_name(column.type_code) for column in described]
        return arrow_table([column.name for column in described], types, cursor.fetchall())

    def schema_of(self, select: str) -> dict[str, str]:
        """The columns of a SELECT over stored tables and their types, as DuckDB infers it."""
        if self._mirror is None:
            self._mirror = ShadowSchema(self.tenant, self.describe)
        return self._mirror.schema_of(select)

    def _to_sql(self, statement: str) -> str:
        return rewrite(statement, self.schemas, self._type_of)

    def _type_of(self, layer: SchemaName, name: str, column: str) -> str | None:
        return next((one.dtype for one in self.describe(layer, name) or () if one.name == column), None)

    def stage(self, name: str, rows: str | ArrowStream, *more: str) -> str:
        """The rows of SELECTs, or of a stream, as a temporary table; the quoted name to use."""
        self._staging.add(name)
        if not isinstance(rows, str):
            return self._stage_stream(name, rows)
        plain = [expand_recursion(self, part) for part in (rows, *more)]
        select = " UNION ALL ".join(self._to_sql(text) for text, _ in plain)
        ref = self._session.stage(name, f"CREATE TEMPORARY TABLE {{}} AS {select}")
        for _, staged in plain:
            for one in staged:
                self.unstage(one)
        return ref

    def _stage_stream(self, name: str, stream: ArrowStream) -> str:
        batches = pa.RecordBatchReader.from_stream(stream)
        schema = redshift_stage.transport_schema(batches.schema)
        making = f"CREATE TEMPORARY TABLE {{}} ({redshift_stage.columns_sql(schema)})"
        ref = self._session.stage(name, making)
        with self._files.upload(batches, schema) as (address, rows):
            if rows:  # COPY of nothing is an error
                self._session.run(redshift_stage.copy_sql(ref, address, self._role))
        instants = redshift_stage.instant_columns(batches.schema)
        return self.stage(name, redshift_stage.select_with_instants(ref, schema.names, instants)) if instants else ref

    def staging(self) -> AbstractContextManager[None]:
        """Drop at the end what is staged inside, but for tables that replace one that was staged before."""
        return self._staging.open(self.unstage)

    def unstage(self, name: str) -> None:
        """Drop a temporary table."""
        self._staging.remove(name)
        self._session.unstage(name)

    def count(self, staged: str) -> int:
        """How many rows a staged relation has."""
        return int(self.rows(f"SELECT COUNT(*) FROM {staged}")[0][0])

    select_rows = select_rows_by_key

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Put the rows of `select` (in the order of `columns`) into a stored table; how many."""
        plain, staged = expand_recursion(self, select)
        written = dml.append(self._write, self.ref(layer, name), columns, plain)
        for one in staged:
            self.unstage(one)
        return written

    def _write(self, statement: str) -> int:
        return self._session.write(self._to_sql(statement))

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Take away the rows of a stored table that hold a condition over their own columns."""
        return dml.delete(self._write, self.ref(layer, name), where)

    def delete_meeting(self, layer: SchemaName, name: str, staged: str, condition: str) -> int:
        """Take away the rows of a stored table that meet a row `m` of a staged one."""
        return self._write(f"DELETE FROM {self.ref(layer, name)} USING {staged} AS m WHERE {condition}")

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Set columns of the rows that hold a condition over their own columns; how many."""
        return dml.update(self._write, self.ref(layer, name), values, where)

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
        del stored  # rows have no place of their own here
        with self.transaction():
            return apply_changes(self, table, changes, old_key_columns=old_key_columns, inserts=inserts)

    def replace_rows(self, table: Table, *, keys: str, new_rows: str, stored: StagedRows | None = None) -> WriteCounts:
        """Make the stored rows whose `table.key` is in `keys` equal to `new_rows`, touching only rows that differ."""
        del stored  # rows have no place of their own here
        with self.transaction():
            return replace_rows(self, table, keys=keys, new_rows=new_rows)
