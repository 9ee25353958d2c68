"""The stored tables of a tenant in Redshift: made, described, made anew where few things can be altered, dropped."""

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
        """Its cursor."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What is stored in the schemas of one tenant."""

    names: Mapping[str, str]
    """What its schemas are called, by layer."""
    where: str
    """Where they are, in words."""
    run: RunStatement
    transaction: Callable[[], AbstractContextManager[None]]

    def ref(self, layer: SchemaName, name: str) -> str:
        """The quoted name of a table in Redshift's own SQL."""
        return f"{quote(self.names[layer])}.{quote(name)}"

    def ensure(self, table: Table) -> None:
        """Make the table, or add and widen columns of the stored one; WarehouseError where a type cannot be widened."""
        ddl.check_names(table)
        stored = self.describe(table.layer, table.name)
        if stored is None:
            self.run(f"CREATE SCHEMA IF NOT EXISTS {quote(self.names[table.layer])}")
            self._make(table, table.name)
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
        self._remake_if_changed(table, wider)

    def _check_widens(self, table: Table, column: TableColumn, stored: str) -> None:
        if not can_widen(stored, column.dtype):
            raise WarehouseError(
                f"column `{column.name}` cannot be changed to {column.dtype}: not every {stored} value fits",
                where=f"{self.where}, {table.layer}.{table.name}",
                details=f"stored as {stored}, declared as {column.dtype}",
                hint="`headwater rebuild` rebuilds the table from raw",
            )

    def _remake_if_changed(self, table: Table, wider: Mapping[str, str]) -> None:
        """Make the table anew where a type or what tells its rows apart is declared otherwise than it is stored."""
        stored = self._keys(table.layer, table.name)
        primary = next((ddl.parse_key_columns(text) for kind, text in stored if kind == "p"), ())
        columns = self.describe(table.layer, table.name) or ()
        sure = {column.name for column in columns if column.required}
        wanted = ddl.primary_key_columns(table)
        if wider or primary != (wanted if sure.issuperset(wanted) else ()):
            anew = [_to_column(one, wider.get(one.name, one.dtype), sure & {*table.names}) for one in columns]
            self._remake(table, anew, primary=wanted)
            return
        pointing = {ddl.parse_key_columns(text) for kind, text in stored if kind == "f"}
        for key in self._references(table, besides=pointing):
            self.run(f"ALTER TABLE {self.ref(table.layer, table.name)} ADD {key}")

    def _keys(self, layer: SchemaName, name: str) -> list[tuple[str, str]]:
        found = self.run(ddl.KEYS, (self.names[layer], name)).fetchall()
        return [(kind, text) for _, kind, text in found]

    def _make(self, table: Table, name: str) -> None:
        self.run(ddl.create_sql(table, self.ref(table.layer, name), self._references(table)))

    def _references(self, table: Table, besides: set[tuple[str, ...]] | None = None) -> list[str]:
        """What columns point at, as far as it is there and not declared yet."""
        return [
            ddl.foreign_key_sql(one, self.ref("gold", one.table))
            for one in table.references
            if (one.column,) not in (besides or ()) and self.describe("gold", one.table) is not None
        ]

    def _remake(self, table: Table, columns: Sequence[TableColumn], *, primary: tuple[str, ...]) -> None:
        """Make a stored table anew with these columns and all rows.

        A column that goes, or gets another type, may be what the rows are spread or sorted by.
        """
        names = {column.name for column in columns}
        kept = Table(
            layer=table.layer,
            name=table.name,
            columns=tuple(columns),
            key=tuple(name for name in table.key if name in names),
            primary_key=primary if names.issuperset(primary) else (),
            references=tuple(one for one in table.references if one.column in names),
        )
        ref, arriving = self.ref(kept.layer, kept.name), f"{kept.name}__next"
        values = ", ".join(f"CAST({quote(one.name)} AS {ddl.type_sql(one)})" for one in columns)
        with self.transaction():
            self._forget_references(kept.layer, kept.name)
            self._make(kept, arriving)
            self.run(
                f"INSERT INTO {self.ref(kept.layer, arriving)} ({column_list_sql(kept.names)}) SELECT {values} FROM {ref}"
            )
            self.run(f"DROP TABLE {ref}")
            self.run(f"ALTER TABLE {self.ref(kept.layer, arriving)} RENAME TO {quote(kept.name)}")

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Columns of a stored table or view; None when there is none."""
        found = self.run(ddl.DESCRIBE, (self.names[layer], name)).fetchall()
        if found:
            types = ((row[0], ddl.dtype_of(row[1]), row[2]) for row in found)
            return tuple(TableColumn(name=name, dtype=dtype, required=required) for name, dtype, required in types)
        if name not in {one for one, _ in self.list_tables(layer)}:
            return None
        # A view that is bound late has no columns in the catalogue.
        shown = self.run(f"SELECT * FROM {self.ref(layer, name)} LIMIT 0").description
        return tuple(TableColumn(name=one.name, dtype=ddl.result_dtype(one)) for one in shown)

    def list_tables(self, layer: SchemaName) -> list[tuple[str, str]]:
        """Names of the stored tables (`r`) and views (`v`) of a layer, sorted, with their kind."""
        found = self.run(ddl.CATALOGUE, (self.names[layer],)).fetchall()
        return sorted((name, kind) for name, kind in found if (layer, name) != ("meta", ddl.WRITER))

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view; nothing happens when there is none."""
        for found, kind in self.list_tables(layer):
            if found == name:
                self._forget_references(layer, name)
                self.run(f"DROP {'VIEW' if kind == 'v' else 'TABLE'} {self.ref(layer, name)}")

    def _forget_references(self, layer: SchemaName, name: str) -> None:
        for schema, table, key in self.run(ddl.POINTING, (self.names[layer], name)).fetchall():
            self.run(f"ALTER TABLE {quote(schema)}.{quote(table)} DROP CONSTRAINT {quote(key)}")

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with what they hold."""
        stored, keys = self.describe(layer, name) or (), self._keys(layer, name)
        primary = next((ddl.parse_key_columns(text) for kind, text in keys if kind == "p"), ())
        references = tuple(ddl.parse_reference(text) for kind, text in keys if kind == "f")
        table = Table(layer=layer, name=name, columns=stored, references=references)
        self._remake(table, [column for column in stored if column.name not in columns], primary=primary)

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Give columns of a stored table other names (stored name -> name); rows and the order of columns stay."""
        for before, after in names.items():
            self.run(f"ALTER TABLE {self.ref(layer, name)} RENAME COLUMN {quote(before)} TO {quote(after)}")


def _to_column(column: TableColumn, dtype: str, sure: set[str]) -> TableColumn:
    return TableColumn(name=column.name, dtype=dtype, required=column.name in sure)
