"""Writes Delta tables: one MERGE per change, and versions to restore."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from headwater.warehouse.base import SchemaName, Table, TableColumn, WriteCounts
from headwater.warehouse.spark import ddl
from headwater.warehouse.spark.ddl import NO_NAMES, cast_columns_sql, column_list_sql, quote_name
from headwater.warehouse.spark.temp_views import is_surely_empty, observe_count


class DeltaCatalog(Protocol):
    """The stored tables, in a local folder or in a shared catalog."""

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Return the columns of a stored table, or None if it does not exist."""
        ...

    def record_version(self, layer: SchemaName, name: str) -> None:
        """Record the version of a table before the first change in a transaction."""
        ...

    def read_version(self, layer: SchemaName, name: str) -> int:
        """Read the version of a table."""
        ...

    def location_sql(self, layer: SchemaName, name: str) -> str:
        """The LOCATION clause of a table."""
        ...

    def set_columns(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Record the new columns of a table."""
        ...


class DeltaWrites:
    """Writes Delta tables."""

    def __init__(self, tables: DeltaCatalog, ref: Callable[[SchemaName, str], str], run: Callable[[str], Any]) -> None:
        self._tables = tables
        self._ref = ref
        self._run = run

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Insert the rows of a SELECT; return their number."""
        stored = self._tables.describe(layer, name) or ()
        columns_sql = cast_columns_sql(stored, present=columns)
        rows, count = observe_count(
            self._run(f"SELECT {columns_sql} FROM ({select}) AS _rows ({column_list_sql(columns)})")
        )
        if is_surely_empty(rows):
            return 0
        self._tables.record_version(layer, name)
        rows.writeTo(self._ref(layer, name)).append()
        return int(count.get["rows"])

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Delete the rows that meet a condition; return their number."""
        self._tables.record_version(layer, name)
        return _count_affected_rows(self._run(f"DELETE FROM {self._ref(layer, name)} WHERE {where}"))

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Update the rows that meet a condition; return their number."""
        self._tables.record_version(layer, name)
        sets = ", ".join(f"{quote_name(column)} = {value}" for column, value in values.items())
        return _count_affected_rows(self._run(f"UPDATE {self._ref(layer, name)} SET {sets} WHERE {where}"))

    def apply(self, table: Table, changes: str, *, old_key_columns: Mapping[str, str], inserts: str) -> WriteCounts:
        """Apply deletes, inserts and replacements."""
        self._tables.record_version(table.layer, table.name)
        ref = self._ref(table.layer, table.name)
        return _to_write_counts(
            self._run(
                ddl.merge_changes_sql(table, ref, changes=changes, old_key_columns=old_key_columns, inserts=inserts)
            )
        )

    def replace(self, table: Table, changes: str) -> WriteCounts:
        """Delete the rows of `changes` with `_gone`, and insert the others."""
        self._tables.record_version(table.layer, table.name)
        ref = self._ref(table.layer, table.name)
        return _to_write_counts(self._run(ddl.merge_differences_sql(table, ref, changes=changes)))

    def add_columns(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Add columns, which are NULL in the stored rows."""
        self._tables.record_version(layer, name)
        nullable = [replace(column, required=False) for column in columns]
        columns_sql = ", ".join(map(ddl.column_sql, nullable))
        self._run(f"ALTER TABLE {self._ref(layer, name)} ADD COLUMNS ({columns_sql})")
        self._tables.set_columns(layer, name, (*(self._tables.describe(layer, name) or ()), *nullable))

    def replace_table(
        self, layer: SchemaName, name: str, columns: Sequence[TableColumn], *, names: Mapping[str, str] = NO_NAMES
    ) -> None:
        """Change the columns, types or names (stored name -> new name) of a table by rewriting its rows."""
        self._tables.record_version(layer, name)
        ref, before = self._ref(layer, name), tuple(column.name for column in self._tables.describe(layer, name) or ())
        version = self._tables.read_version(layer, name)
        columns_sql = ", ".join(map(ddl.column_sql, columns))
        self._run(f"REPLACE TABLE {ref} ({columns_sql}) USING delta{self._tables.location_sql(layer, name)}")
        names_after = [names.get(column, column) for column in before]
        stored = f"SELECT {ddl.renamed_columns_sql(before, names)} FROM {ref} VERSION AS OF {version}"
        self._run(
            f"INSERT INTO {ref} SELECT {cast_columns_sql(columns, present=names_after)} FROM ({stored}) AS _stored"
        )
        self._tables.set_columns(layer, name, tuple(columns))


def _count_affected_rows(result: Any) -> int:
    rows = result.collect()
    return max(int(rows[0][0]), 0) if rows else 0


def _to_write_counts(result: Any) -> WriteCounts:
    row = result.collect()[0].asDict()
    updated = int(row["num_updated_rows"])
    return WriteCounts(deleted=updated + int(row["num_deleted_rows"]), inserted=updated + int(row["num_inserted_rows"]))
