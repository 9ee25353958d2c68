"""The tables of a DuckDB file and their columns: read with one statement, and kept until a statement may change them.

After a table or view is created, only its own columns are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from headwater.names import quote
from headwater.warehouse.base import LAYERS, SchemaName, TableColumn

_SELECT = (
    "SELECT c.schema_name, c.table_name, c.column_name, c.data_type, NOT c.is_nullable, t.table_name IS NULL, "
    "COALESCE(t.estimated_size, 0) FROM duckdb_columns() AS c LEFT JOIN duckdb_tables() AS t "
    "ON t.database_name = c.database_name AND t.schema_name = c.schema_name AND t.table_name = c.table_name\n"
    f"WHERE c.database_name = current_database() AND c.schema_name IN ({', '.join(repr(name) for name in LAYERS)}) "
    "ORDER BY c.schema_name, c.table_name, c.column_index"
)
"""Also the columns of views: DuckDB keeps them with the view, so a view of a dropped table is no error here."""

_KEEPS_CATALOG = (
    "SELECT",
    "WITH",
    "INSERT",
    "DELETE",
    "UPDATE",
    "DESCRIBE",
    "COPY",
    "SET",
    "BEGIN",
    "COMMIT",
    "CREATE OR REPLACE TEMPORARY TABLE",
    "CREATE OR REPLACE MACRO",
    "CREATE SCHEMA IF NOT EXISTS",
    "DROP TABLE IF EXISTS temp.",
)
"""How statements begin that change no stored table. After any other statement the catalog is read again."""

_DTYPES = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}


@dataclass(slots=True, kw_only=True)
class CatalogEntry:
    """A stored table or view."""

    is_view: bool
    rows: int
    """About how many rows it has, with those that were inserted since the catalog was read."""
    columns: list[TableColumn] = field(default_factory=list)


class Catalog:
    """The catalog of one file. Only one process can write a file, so nobody else changes it while it is open."""

    def __init__(self, read_rows: Callable[[str], Sequence[tuple[Any, ...]]]) -> None:
        self._read_rows = read_rows
        self._entries: dict[tuple[str, str], CatalogEntry] | None = None
        self._forgotten = 0

    def on_statement(self, statement: str) -> None:
        """Forget the catalog before a statement that may change it."""
        if not statement.startswith(_KEEPS_CATALOG):
            self.forget()

    def forget(self) -> None:
        """Read the catalog again the next time."""
        self._entries = None
        self._forgotten += 1

    @contextmanager
    def add(self, layer: SchemaName, name: str, *, is_view: bool) -> Iterator[None]:
        """Keep the catalog while one statement creates or replaces a table or view, and read only its columns.

        After an error, and if more than that statement ran, the whole catalog is read again.
        """
        entries, before = self._load(), self._forgotten
        yield
        if self._forgotten != before + 1:
            return
        columns = [
            TableColumn(name=column, dtype=_to_dtype(kind), required=null == "NO")
            for column, kind, null, *_ in self._read_rows(f"DESCRIBE {quote(layer)}.{quote(name)}")
        ]
        entries[layer, name] = CatalogEntry(is_view=is_view, rows=0, columns=columns)
        self._entries = entries

    def list_names(self, layer: SchemaName) -> list[str]:
        """The names of the tables and views of a layer, sorted."""
        return sorted(name for schema, name in self._load() if schema == layer)

    def find(self, layer: SchemaName, name: str) -> CatalogEntry | None:
        """A table or view; None if it does not exist."""
        return self._load().get((layer, name))

    def count_rows(self, layer: SchemaName, name: str) -> int:
        """About how many rows a table has; deleted rows may be among them."""
        entry = self.find(layer, name)
        return entry.rows if entry else 0

    def add_rows(self, layer: SchemaName, name: str, rows: int) -> None:
        """Count rows that were inserted."""
        entry = (self._entries or {}).get((layer, name))
        if entry is not None:
            entry.rows += rows

    def _load(self) -> dict[tuple[str, str], CatalogEntry]:
        if self._entries is None:
            entries: dict[tuple[str, str], CatalogEntry] = {}
            for schema, table, column, kind, required, is_view, rows in self._read_rows(_SELECT):
                entry = entries.setdefault((schema, table), CatalogEntry(is_view=is_view, rows=int(rows)))
                entry.columns.append(TableColumn(name=column, dtype=_to_dtype(kind), required=required))
            self._entries = entries
        return self._entries


def _to_dtype(stored: str) -> str:
    plain = stored.replace(" ", "").lower()
    return _DTYPES.get(stored, plain if plain.startswith("decimal(") else stored.lower())
