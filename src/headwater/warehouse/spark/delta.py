"""Delta tables: one MERGE a change, and a version to go back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from headwater.warehouse.base import SchemaName, Table, TableColumn, WriteCounts
from headwater.warehouse.spark import ddl
from headwater.warehouse.spark.ddl import NO_NAMES, cast_columns_sql, column_list_sql, quote_name
from headwater.warehouse.spark.temp_views import is_surely_empty, observe_count


class DeltaCatalog(Protocol):
    """Which tables there are: in a folder of this machine, or in a catalog."""

    def columns(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """The columns of a stored table; None when there is none."""
        ...

    def touch(self, layer: SchemaName, name: str) -> None:
        """Write down which version a table has, before a transaction first changes it."""
        ...

    def version(self, layer: SchemaName, name: str) -> int:
        """The version of a table."""
        ...

    def place(self, layer: SchemaName, name: str) -> str:
        """The clause that says where a table is."""
        ...

    def reshape(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Note that a table has other columns now."""
        ...


class DeltaWrites:
    """How Delta tables are written."""

    def __init__(self, tables: DeltaCatalog, ref: Callable[[SchemaName, str], str], run: Callable[[str], Any]) -> None:
        self._tables = tables
        self._ref = ref
        self._run = run

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Put in the rows of a SELECT; how many."""
        stored = self._tables.columns(layer, name) or ()
        shown = cast_columns_sql(stored, given=columns)
        rows, count = observe_count(self._run(f"SELECT {shown} FROM ({select}) AS _rows ({column_list_sql(columns)})"))
        if is_surely_empty(rows):
            return 0
        self._tables.touch(layer, name)
        rows.writeTo(self._ref(layer, name)).append()
        return int(count.get["rows"])

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Take away the rows that hold a condition."""
        self._tables.touch(layer, name)
        return _affected_rows(self._run(f"DELETE FROM {self._ref(layer, name)} WHERE {where}"))

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Set columns of the rows that hold a condition."""
        self._tables.touch(layer, name)
        sets = ", ".join(f"{quote_name(column)} = {value}" for column, value in values.items())
        return _affected_rows(self._run(f"UPDATE {self._ref(layer, name)} SET {sets} WHERE {where}"))

    def apply(self, table: Table, changes: str, *, old_key_columns: Mapping[str, str], inserts: str) -> WriteCounts:
        """Bring in rows that go, come, and take another one's place."""
        self._tables.touch(table.layer, table.name)
        ref = self._ref(table.layer, table.name)
        return _merge_counts(
            self._run(
                ddl.merge_changes_sql(table, ref, changes=changes, old_key_columns=old_key_columns, inserts=inserts)
            )
        )

    def replace(self, table: Table, changes: str) -> WriteCounts:
        """Take away the rows that `changes` marks as gone, and put in its others."""
        self._tables.touch(table.layer, table.name)
        ref = self._ref(table.layer, table.name)
        return _merge_counts(self._run(ddl.merge_differences_sql(table, ref, changes=changes)))

    def add_columns(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Add columns, which are NULL in the rows that are there."""
        self._tables.touch(layer, name)
        loose = [replace(column, required=False) for column in columns]
        shown = ", ".join(map(ddl.column_sql, loose))
        self._run(f"ALTER TABLE {self._ref(layer, name)} ADD COLUMNS ({shown})")
        self._tables.reshape(layer, name, (*(self._tables.columns(layer, name) or ()), *loose))

    def remake(
        self, layer: SchemaName, name: str, columns: Sequence[TableColumn], *, names: Mapping[str, str] = NO_NAMES
    ) -> None:
        """Give a table other columns, types or names (stored name -> name): its rows are written anew."""
        self._tables.touch(layer, name)
        ref, before = self._ref(layer, name), tuple(c.name for c in self._tables.columns(layer, name) or ())
        version = self._tables.version(layer, name)
        shown = ", ".join(map(ddl.column_sql, columns))
        self._run(f"REPLACE TABLE {ref} ({shown}) USING delta{self._tables.place(layer, name)}")
        given = [names.get(column, column) for column in before]
        stored = f"SELECT {ddl.renamed_list_sql(before, names)} FROM {ref} VERSION AS OF {version}"
        self._run(f"INSERT INTO {ref} SELECT {cast_columns_sql(columns, given=given)} FROM ({stored}) AS _stored")
        self._tables.reshape(layer, name, tuple(columns))


def _affected_rows(answer: Any) -> int:
    rows = answer.collect()
    return max(int(rows[0][0]), 0) if rows else 0


def _merge_counts(answer: Any) -> WriteCounts:
    row = answer.collect()[0].asDict()
    updated = int(row["num_updated_rows"])
    return WriteCounts(deleted=updated + int(row["num_deleted_rows"]), inserted=updated + int(row["num_inserted_rows"]))
