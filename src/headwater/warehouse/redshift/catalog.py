"""The stored tables of a tenant in Redshift. It can alter few things, so other changes replace the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from headwater.dtypes import can_widen
from headwater.errors import WarehouseError
from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import SchemaName, Table, TableColumn
from headwater.warehouse.redshift import ddl
from headwater.warehouse.redshift.connection import Cursor


class RunStatement(Protocol):
    """Runs a statement in Redshift's own dialect."""

    def __call__(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Return the cursor of the statement."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """The tables and views in the schemas of one tenant."""

    names: Mapping[str, str]
    """Layer -> name of the schema."""
    where: str
    """A description of their location, for errors."""
    run: RunStatement
    transaction: Callable[[], AbstractContextManager[None]]

    def ref(self, layer: SchemaName, name: str) -> str:
        """Return the quoted name of a table in Redshift's own SQL."""
        return f"{quote(self.names[layer])}.{quote(name)}"

    def ensure(self, table: Table) -> None:
        """Create the table, or add and widen columns of the stored one. Raises WarehouseError if a type cannot be widened."""
        ddl.check_names(table)
        stored = self.describe(table.layer, table.name)
        if stored is None:
            self.run(f"CREATE SCHEMA IF NOT EXISTS {quote(self.names[table.layer])}")
            self._create(table, table.name)
            return
        types = {column.name: column.dtype for column in stored}
        wider = {}
        for column in table.columns:
            if column.name not in types:
                added = ddl.column_sql(column, required=False)
                self.run(f"ALTER TABLE {self.ref(table.layer, table.name)} ADD COLUMN {added}")
            elif types[column.name] != column.dtype and (types[column.name], column.dtype) != ("text", "json"):
                self._check_widens(table, column, types[column.name])
                wider[column.name] = column.dtype
        self._replace_table_if_changed(table, wider)

    def _check_widens(self, table: Table, column: TableColumn, stored: str) -> None:
        if not can_widen(stored, column.dtype):
            raise WarehouseError(
                f"column `{column.name}` cannot be changed to {column.dtype}: not every {stored} value fits",
                where=f"{self.where}, {table.layer}.{table.name}",
                details=f"stored as {stored}, declared as {column.dtype}",
                hint="`headwater rebuild` rebuilds the table from raw",
            )

    def _replace_table_if_changed(self, table: Table, wider: Mapping[str, str]) -> None:
        """Replace the table if a type or the primary key differs from the declaration; else add missing references."""
        stored = self._read_keys(table.layer, table.name)
        primary = next((ddl.parse_key_columns(text) for kind, text in stored if kind == "p"), ())
        columns = self.describe(table.layer, table.name) or ()
        required = {column.name for column in columns if column.required}
        wanted = ddl.find_primary_key(table)
        if wider or primary != (wanted if required.issuperset(wanted) else ()):
            new_columns = [
                _to_column(column, wider.get(column.name, column.dtype), required & {*table.names})
                for column in columns
            ]
            self._replace_table(table, new_columns, primary=wanted)
            return
        existing = {ddl.parse_key_columns(text) for kind, text in stored if kind == "f"}
        for key in self._build_references(table, existing=existing):
            self.run(f"ALTER TABLE {self.ref(table.layer, table.name)} ADD {key}")

    def _read_keys(self, layer: SchemaName, name: str) -> list[tuple[str, str]]:
        rows = self.run(ddl.KEYS, (self.names[layer], name)).fetchall()
        return [(kind, text) for _, kind, text in rows]

    def _create(self, table: Table, name: str) -> None:
        self.run(ddl.create_sql(table, self.ref(table.layer, name), self._build_references(table)))

    def _build_references(self, table: Table, existing: set[tuple[str, ...]] | None = None) -> list[str]:
        """Return the missing foreign keys to tables that exist, as SQL."""
        return [
            ddl.foreign_key_sql(reference, self.ref("gold", reference.table))
            for reference in table.references
            if (reference.column,) not in (existing or ()) and self.describe("gold", reference.table) is not None
        ]

    def _replace_table(self, table: Table, columns: Sequence[TableColumn], *, primary: tuple[str, ...]) -> None:
        """Replace a stored table by one with these columns and all its rows.

        Redshift cannot drop or change a column that is the distribution or sort key.
        """
        names = {column.name for column in columns}
        target = Table(
            layer=table.layer,
            name=table.name,
            columns=tuple(columns),
            key=tuple(name for name in table.key if name in names),
            primary_key=primary if names.issuperset(primary) else (),
            references=tuple(reference for reference in table.references if reference.column in names),
        )
        ref, next_name = self.ref(target.layer, target.name), f"{target.name}__next"
        values = ", ".join(f"CAST({quote(column.name)} AS {ddl.type_sql(column)})" for column in columns)
        with self.transaction():
            self._drop_references(target.layer, target.name)
            self._create(target, next_name)
            self.run(
                f"INSERT INTO {self.ref(target.layer, next_name)} ({column_list_sql(target.names)}) SELECT {values} FROM {ref}"
            )
            self.run(f"DROP TABLE {ref}")
            self.run(f"ALTER TABLE {self.ref(target.layer, next_name)} RENAME TO {quote(target.name)}")

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Return the columns of a stored table or view, or None if it does not exist."""
        rows = self.run(ddl.DESCRIBE, (self.names[layer], name)).fetchall()
        if rows:
            types = ((row[0], ddl.to_dtype(row[1]), row[2]) for row in rows)
            return tuple(TableColumn(name=name, dtype=dtype, required=required) for name, dtype, required in types)
        if name not in {stored for stored, _ in self.list_tables(layer)}:
            return None
        # A late-binding view has no columns in the catalog.
        description = self.run(f"SELECT * FROM {self.ref(layer, name)} LIMIT 0").description
        return tuple(TableColumn(name=column.name, dtype=ddl.to_result_dtype(column)) for column in description)

    def list_tables(self, layer: SchemaName) -> list[tuple[str, str]]:
        """Return the names of the stored tables (`r`) and views (`v`) of a layer, sorted, with their kind."""
        rows = self.run(ddl.CATALOG, (self.names[layer],)).fetchall()
        return sorted((name, kind) for name, kind in rows if (layer, name) != ("meta", ddl.WRITER))

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view if it exists."""
        for stored, kind in self.list_tables(layer):
            if stored == name:
                self._drop_references(layer, name)
                self.run(f"DROP {'VIEW' if kind == 'v' else 'TABLE'} {self.ref(layer, name)}")

    def _drop_references(self, layer: SchemaName, name: str) -> None:
        for schema, table, key in self.run(ddl.INCOMING_FOREIGN_KEYS, (self.names[layer], name)).fetchall():
            self.run(f"ALTER TABLE {quote(schema)}.{quote(table)} DROP CONSTRAINT {quote(key)}")

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with their values."""
        stored, keys = self.describe(layer, name) or (), self._read_keys(layer, name)
        primary = next((ddl.parse_key_columns(text) for kind, text in keys if kind == "p"), ())
        references = tuple(ddl.parse_reference(text) for kind, text in keys if kind == "f")
        table = Table(layer=layer, name=name, columns=stored, references=references)
        self._replace_table(table, [column for column in stored if column.name not in columns], primary=primary)

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Rename columns of a stored table (stored name -> new name). Rows and the order of columns stay."""
        for before, after in names.items():
            self.run(f"ALTER TABLE {self.ref(layer, name)} RENAME COLUMN {quote(before)} TO {quote(after)}")


def _to_column(column: TableColumn, dtype: str, required: set[str]) -> TableColumn:
    return TableColumn(name=column.name, dtype=dtype, required=column.name in required)
