"""Redshift: three schemas per tenant in a shared database. It has not been tested on a real cluster, see `Redshift`."""

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
from headwater.warehouse.postgres.copy import build_arrow_table
from headwater.warehouse.postgres.ddl import list_schemas
from headwater.warehouse.redshift import copy as redshift_stage
from headwater.warehouse.redshift.catalog import Catalog
from headwater.warehouse.redshift.connection import Connection, connect, describe_target, find_type_name
from headwater.warehouse.redshift.functions import DIALECT
from headwater.warehouse.redshift.replace_rows import apply_changes, replace_rows
from headwater.warehouse.redshift.rewrite import rewrite
from headwater.warehouse.redshift.session import RedshiftSession
from headwater.warehouse.row_lookup import scan_costs_more, select_rows_by_key
from headwater.warehouse.shadow_schema import ShadowSchema
from headwater.warehouse.staging import StagingScopes

_UNTESTED = (
    "Redshift was written from its documentation and tried on Postgres in its place; "
    "it has never met a real cluster (see docs/guides/redshift.md)"
)


class Redshift:
    """A tenant's schemas in a Redshift database. Writers of a tenant wait for each other; `read_only` allows no writes.

    No real cluster has run a statement of this class. Tests check that every statement parses in Redshift's dialect and
    uses nothing that its documentation excludes. They also run the statements on Postgres, with the few words replaced that
    only Redshift supports, and compare the rows with those of DuckDB.
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
        self.notes: tuple[str, ...] = (_UNTESTED,)
        self.schemas = list_schemas(tenant)
        self._where = f"{describe_target(url)}, schemas {tenant}_*"
        self._role = iam_role
        self._files = redshift_stage.CopyStage(stage, tenant)
        self._shadow_schema: ShadowSchema | None = None
        self._staging = StagingScopes()
        names = dict(self.schemas)
        self._session = RedshiftSession(connect(url), meta=names["meta"], where=self._where, read_only=read_only)
        self._catalog = Catalog(
            names=names, where=self._where, run=self._session.run, transaction=self._session.transaction
        )

    def close(self) -> None:
        """Close the session."""
        if self._shadow_schema:
            self._shadow_schema.close()
        self._files.close()
        self._session.close()

    def erase(self) -> None:
        """Drop the tenant's schemas with all their objects."""
        for _, schema in self.schemas:
            self._session.run(f"DROP SCHEMA IF EXISTS {quote(schema)} CASCADE")
        self.close()

    def ref(self, layer: SchemaName, name: str) -> str:
        """Return the quoted name of a table of this tenant in portable SQL. Rendering inserts the schema's own name."""
        return f"{quote(layer)}.{quote(name)}"

    def ensure(self, table: Table) -> None:
        """Create the table, or add and widen columns of the stored one. Raises WarehouseError if a type cannot be widened.

        Redshift has no functions that return rows, so there is no function for a past instant.
        """
        self._catalog.ensure(table)

    def ensure_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Create or replace a view. It is late-binding, so that its tables can be replaced."""
        ref = self._catalog.ref(layer, name)
        with self.transaction():
            self._session.run(f"DROP VIEW IF EXISTS {ref}")
            self._session.run(f"CREATE VIEW {ref} AS {self._to_sql(select)} WITH NO SCHEMA BINDING")

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Return the columns of a stored table or view, or None if it does not exist."""
        return self._catalog.describe(layer, name)

    def tables(self, layer: SchemaName) -> tuple[str, ...]:
        """Return the names of the stored tables and views of a layer, sorted."""
        return tuple(name for name, _ in self._catalog.list_tables(layer))

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view if it exists."""
        self._catalog.drop(layer, name)

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with their values."""
        self._catalog.drop_columns(layer, name, columns)

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Rename columns of a stored table (stored name -> new name). Rows and the order of columns stay."""
        self._catalog.rename_columns(layer, name, names)

    def transaction(self) -> AbstractContextManager[None]:
        """Commit all statements inside together, or none. It waits for the transactions of other writers."""
        return self._session.transaction()

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a small result."""
        expanded, staged = expand_recursion(self, statement)
        rows = self._session.run(self._to_sql(expanded), parameters).fetchall()
        for name in staged:
            self.unstage(name)
        return rows

    def answer_arrow(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the result of a statement in Redshift's own dialect as a pyarrow Table."""
        return self._to_arrow(self._session.run(replace_schema_names(statement, "redshift", self.schemas), parameters))

    answer = answer_by_arrow

    def fetch_arrow(self, select: str) -> Any:
        """Return the result of a portable SELECT as a pyarrow Table."""
        return self._to_arrow(self._session.run(self._to_sql(select)))

    def _to_arrow(self, cursor: Any) -> Any:
        columns = cursor.description or []
        types = [find_type_name(column.type_code) for column in columns]
        return build_arrow_table([column.name for column in columns], types, cursor.fetchall())

    def schema_of(self, select: str) -> dict[str, str]:
        """Return the columns of a SELECT over stored tables and their types, as DuckDB infers them."""
        if self._shadow_schema is None:
            self._shadow_schema = ShadowSchema(self.tenant, self.describe)
        return self._shadow_schema.schema_of(select)

    def _to_sql(self, statement: str) -> str:
        return rewrite(statement, self.schemas, self._find_type)

    def _find_type(self, layer: SchemaName, name: str, column: str) -> str | None:
        return next((stored.dtype for stored in self.describe(layer, name) or () if stored.name == column), None)

    def stage(self, name: str, rows: str | ArrowStream, *more: str) -> str:
        """Store the rows of SELECTs, or of a stream, in a temporary table; return its quoted name."""
        self._staging.add(name)
        if not isinstance(rows, str):
            return self._stage_stream(name, rows)
        expanded = [expand_recursion(self, part) for part in (rows, *more)]
        select = " UNION ALL ".join(self._to_sql(text) for text, _ in expanded)
        ref = self._session.stage(name, f"CREATE TEMPORARY TABLE {{}} AS {select}")
        for _, staged in expanded:
            for table in staged:
                self.unstage(table)
        return ref

    def _stage_stream(self, name: str, stream: ArrowStream) -> str:
        batches = pa.RecordBatchReader.from_stream(stream)
        schema = redshift_stage.to_transport_schema(batches.schema)
        statement = f"CREATE TEMPORARY TABLE {{}} ({redshift_stage.columns_sql(schema)})"
        ref = self._session.stage(name, statement)
        with self._files.upload(batches, schema) as (address, rows):
            if rows:  # COPY without files is an error
                self._session.run(redshift_stage.copy_sql(ref, address, self._role))
        instants = redshift_stage.find_instant_columns(batches.schema)
        return self.stage(name, redshift_stage.select_with_instants(ref, schema.names, instants)) if instants else ref

    def staging(self) -> AbstractContextManager[None]:
        """Drop at the end the tables staged inside, except those that replace a table staged before."""
        return self._staging.open(self.unstage)

    def unstage(self, *names: str) -> None:
        """Drop temporary tables."""
        for name in names:
            self._staging.remove(name)
            self._session.unstage(name)

    def count(self, staged: str) -> int:
        """Count the rows of a staged relation."""
        return int(self.rows(f"SELECT COUNT(*) FROM {staged}")[0][0])

    select_rows = select_rows_by_key
    is_small = scan_costs_more

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Insert the rows of `select` (in the order of `columns`) into a stored table; return their number."""
        expanded, staged = expand_recursion(self, select)
        written = dml.append(self._write, self.ref(layer, name), columns, expanded)
        for table in staged:
            self.unstage(table)
        return written

    def _write(self, statement: str) -> int:
        return self._session.write(self._to_sql(statement))

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Delete the rows that meet a condition over their own columns; return their number."""
        return dml.delete(self._write, self.ref(layer, name), where)

    def delete_matching(self, layer: SchemaName, name: str, staged: str, condition: str) -> int:
        """Delete the rows of a stored table that match a row `m` of a staged one; return their number."""
        return self._write(f"DELETE FROM {self.ref(layer, name)} USING {staged} AS m WHERE {condition}")

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Update the rows that meet a condition over their own columns; return their number."""
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
        """Apply deletes, inserts and replacements to a stored table."""
        del stored  # rows have no ids here
        with self.transaction():
            return apply_changes(self, table, changes, old_key_columns=old_key_columns, inserts=inserts)

    def replace_rows(self, table: Table, *, keys: str, new_rows: str, stored: StagedRows | None = None) -> WriteCounts:
        """Make the stored rows whose `table.key` is in `keys` equal to `new_rows`, touching only rows that differ."""
        del stored  # rows have no ids here
        with self.transaction():
            return replace_rows(self, table, keys=keys, new_rows=new_rows)
