"""Writes Parquet tables: a changed table is written to a new folder, which replaces the old one at the commit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from headwater.warehouse.base import SchemaName, Table, TableColumn, WriteCounts
from headwater.warehouse.spark.ddl import (
    NO_NAMES,
    cast_columns_sql,
    column_list_sql,
    equal_condition,
    quote_name,
    renamed_columns_sql,
)
from headwater.warehouse.spark.journal import SparkTable
from headwater.warehouse.spark.local_catalog import LocalTables
from headwater.warehouse.spark.temp_views import is_surely_empty, observe_count

_MAX_FILES = 64
"""The maximum number of files of a table. With more, they are merged."""


class ParquetWrites:
    """Writes Parquet tables."""

    def __init__(self, tables: LocalTables, ref: Callable[[SchemaName, str], str], run: Callable[[str], Any]) -> None:
        self._tables = tables
        self._ref = ref
        self._run = run

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Insert the rows of a SELECT; return their number. The stored files are linked, not rewritten."""
        stored_table = self._find_table(layer, name)
        columns_sql = cast_columns_sql(stored_table.columns, present=columns)
        rows, count = observe_count(
            self._run(f"SELECT {columns_sql} FROM ({select}) AS _rows ({column_list_sql(columns)})")
        )
        if is_surely_empty(rows):
            return 0
        folder, path = self._tables.build_folder(layer, name)
        rows.write.parquet(str(path))
        inserted = int(count.get["rows"])
        if inserted:
            files = [file for file in self._tables.list_files(stored_table) if file.suffix == ".parquet"]
            for file in files:
                _link(file, path / file.name)
            self._tables.put_table(layer, name, replace(stored_table, folder=folder, rows=stored_table.rows + inserted))
            if len(files) > _MAX_FILES:
                self._rewrite(layer, name, f"SELECT * FROM {self._ref(layer, name)}")
        return inserted

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Delete the rows that meet a condition; return their number."""
        return self._rewrite(layer, name, self._select_without(layer, name, where)).deleted

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Update the rows that meet a condition; return their number."""
        columns_sql = ", ".join(
            f"{values.get(column.name, quote_name(column.name))} AS {quote_name(column.name)}"
            for column in self._find_table(layer, name).columns
        )
        changed = f"SELECT {columns_sql} FROM {self._ref(layer, name)} WHERE {where}"
        return self._rewrite(layer, name, self._select_without(layer, name, where), changed).inserted

    def apply(self, table: Table, changes: str, *, old_key_columns: Mapping[str, str], inserts: str) -> WriteCounts:
        """Apply deletes, inserts and replacements."""
        ref, names = self._ref(table.layer, table.name), column_list_sql(table.names)
        first = quote_name(table.primary_key[0])
        key_condition = " AND ".join(
            f"t.{quote_name(column)} = m.{quote_name(alias)}" for column, alias in old_key_columns.items()
        )
        remaining = f"SELECT * FROM {ref} AS t WHERE NOT EXISTS (SELECT 1 FROM {changes} AS m WHERE {key_condition})"
        inserts_sql = [f"SELECT {names} FROM {changes} WHERE {first} IS NOT NULL"]
        if inserts:
            inserts_sql.append(f"SELECT {names} FROM ({inserts}) AS _rows ({names})")
        return self._rewrite(table.layer, table.name, remaining, *inserts_sql)

    def replace(self, table: Table, changes: str) -> WriteCounts:
        """Delete the rows of `changes` with `_gone`, and insert the others."""
        ref, same = self._ref(table.layer, table.name), equal_condition(table.names, "c", "t")
        remaining = f"SELECT * FROM {ref} AS t WHERE NOT EXISTS (SELECT 1 FROM {changes} AS c WHERE c._gone AND {same})"
        inserts_sql = f"SELECT {column_list_sql(table.names)} FROM {changes} WHERE NOT _gone"
        return self._rewrite(table.layer, table.name, remaining, inserts_sql)

    def add_columns(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Add columns, which are NULL in the stored rows."""
        stored_table = self._find_table(layer, name)
        nullable = tuple(replace(column, required=False) for column in columns)
        self._tables.put_table(layer, name, replace(stored_table, columns=(*stored_table.columns, *nullable)))

    def replace_table(
        self, layer: SchemaName, name: str, columns: Sequence[TableColumn], *, names: Mapping[str, str] = NO_NAMES
    ) -> None:
        """Change the columns, types or names (stored name -> new name) of a table by rewriting its rows."""
        stored_table = self._find_table(layer, name)
        names_after = [names.get(column.name, column.name) for column in stored_table.columns]
        stored = renamed_columns_sql((column.name for column in stored_table.columns), names)
        folder, path = self._tables.build_folder(layer, name)
        rows = f"(SELECT {stored} FROM {self._ref(layer, name)}) AS _stored"
        self._run(f"SELECT {cast_columns_sql(columns, present=names_after)} FROM {rows}").write.parquet(str(path))
        self._tables.put_table(layer, name, SparkTable(folder=folder, columns=tuple(columns), rows=stored_table.rows))

    def _find_table(self, layer: SchemaName, name: str) -> SparkTable:
        stored_table = self._tables.find_table(layer, name)
        return stored_table or SparkTable(folder="", columns=())

    def _select_without(self, layer: SchemaName, name: str, where: str) -> str:
        return f"SELECT * FROM {self._ref(layer, name)} WHERE NOT COALESCE(({where}), FALSE)"

    def _rewrite(self, layer: SchemaName, name: str, remaining: str, *inserts_sql: str) -> WriteCounts:
        """Replace the table by the rows `remaining` and `inserts_sql`, unless that changes nothing."""
        stored_table = self._find_table(layer, name)
        columns_sql = cast_columns_sql(stored_table.columns)
        folder, path = self._tables.build_folder(layer, name)
        rows, remaining_count = observe_count(self._run(f"SELECT {columns_sql} FROM ({remaining}) AS _kept"))
        insert_count = None
        if inserts_sql:
            texts = " UNION ALL ".join(f"({text})" for text in inserts_sql)
            inserted_rows, insert_count = observe_count(self._run(f"SELECT {columns_sql} FROM ({texts}) AS _news"))
            rows = rows.union(inserted_rows)
        rows.write.parquet(str(path))
        inserted = int(insert_count.get["rows"]) if insert_count else 0
        written = WriteCounts(deleted=stored_table.rows - int(remaining_count.get["rows"]), inserted=inserted)
        if written.rows:
            total = stored_table.rows - written.deleted + inserted
            self._tables.put_table(layer, name, replace(stored_table, folder=folder, rows=total))
        else:
            shutil.rmtree(path, ignore_errors=True)
        return written


def _link(file: Path, target: Path) -> None:
    """Link the file into another folder, or copy it if the disk does not support links."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copy2(file, target)
