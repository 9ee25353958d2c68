"""Parquet tables: a changed table is written beside the one that counts, and takes its place when all is done."""

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
    renamed_list_sql,
)
from headwater.warehouse.spark.journal import SparkTable
from headwater.warehouse.spark.local_catalog import LocalTables
from headwater.warehouse.spark.temp_views import is_surely_empty, observe_count

_MANY = 64
"""Files of a table from which on they are written together."""


class ParquetWrites:
    """How Parquet tables are written."""

    def __init__(self, tables: LocalTables, ref: Callable[[SchemaName, str], str], run: Callable[[str], Any]) -> None:
        self._tables = tables
        self._ref = ref
        self._run = run

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Put in the rows of a SELECT; how many. The files that are there are kept."""
        shelf = self._find_table(layer, name)
        shown = cast_columns_sql(shelf.columns, given=columns)
        rows, count = observe_count(self._run(f"SELECT {shown} FROM ({select}) AS _rows ({column_list_sql(columns)})"))
        if is_surely_empty(rows):
            return 0
        folder, there = self._tables.new_folder(layer, name)
        rows.write.parquet(str(there))
        inserted = int(count.get["rows"])
        if inserted:
            files = [one for one in self._tables.files(shelf) if one.suffix == ".parquet"]
            for file in files:
                _link(file, there / file.name)
            self._tables.put_table(layer, name, replace(shelf, folder=folder, rows=shelf.rows + inserted))
            if len(files) > _MANY:
                self._rewrite(layer, name, f"SELECT * FROM {self._ref(layer, name)}")
        return inserted

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Take away the rows that hold a condition."""
        return self._rewrite(layer, name, self._without(layer, name, where)).deleted

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Set columns of the rows that hold a condition."""
        shown = ", ".join(
            f"{values.get(column.name, quote_name(column.name))} AS {quote_name(column.name)}"
            for column in self._find_table(layer, name).columns
        )
        changed = f"SELECT {shown} FROM {self._ref(layer, name)} WHERE {where}"
        return self._rewrite(layer, name, self._without(layer, name, where), changed).inserted

    def apply(self, table: Table, changes: str, *, old_key_columns: Mapping[str, str], inserts: str) -> WriteCounts:
        """Bring in rows that go, come, and take another one's place."""
        ref, names = self._ref(table.layer, table.name), column_list_sql(table.names)
        first = quote_name(table.primary_key[0])
        found = " AND ".join(
            f"t.{quote_name(column)} = m.{quote_name(alias)}" for column, alias in old_key_columns.items()
        )
        kept = f"SELECT * FROM {ref} AS t WHERE NOT EXISTS (SELECT 1 FROM {changes} AS m WHERE {found})"
        coming = [f"SELECT {names} FROM {changes} WHERE {first} IS NOT NULL"]
        if inserts:
            coming.append(f"SELECT {names} FROM ({inserts}) AS _rows ({names})")
        return self._rewrite(table.layer, table.name, kept, *coming)

    def replace(self, table: Table, changes: str) -> WriteCounts:
        """Take away the rows that `changes` marks as gone, and put in its others."""
        ref, same = self._ref(table.layer, table.name), equal_condition(table.names, "c", "t")
        kept = f"SELECT * FROM {ref} AS t WHERE NOT EXISTS (SELECT 1 FROM {changes} AS c WHERE c._gone AND {same})"
        coming = f"SELECT {column_list_sql(table.names)} FROM {changes} WHERE NOT _gone"
        return self._rewrite(table.layer, table.name, kept, coming)

    def add_columns(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Add columns, which are NULL in the rows that are there."""
        shelf = self._find_table(layer, name)
        loose = tuple(replace(column, required=False) for column in columns)
        self._tables.put_table(layer, name, replace(shelf, columns=(*shelf.columns, *loose)))

    def remake(
        self, layer: SchemaName, name: str, columns: Sequence[TableColumn], *, names: Mapping[str, str] = NO_NAMES
    ) -> None:
        """Give a table other columns, types or names (stored name -> name): its rows are written anew."""
        shelf = self._find_table(layer, name)
        given = [names.get(column.name, column.name) for column in shelf.columns]
        stored = renamed_list_sql((column.name for column in shelf.columns), names)
        folder, there = self._tables.new_folder(layer, name)
        rows = f"(SELECT {stored} FROM {self._ref(layer, name)}) AS _stored"
        self._run(f"SELECT {cast_columns_sql(columns, given=given)} FROM {rows}").write.parquet(str(there))
        self._tables.put_table(layer, name, SparkTable(folder=folder, columns=tuple(columns), rows=shelf.rows))

    def _find_table(self, layer: SchemaName, name: str) -> SparkTable:
        shelf = self._tables.find_table(layer, name)
        return shelf or SparkTable(folder="", columns=())

    def _without(self, layer: SchemaName, name: str, where: str) -> str:
        return f"SELECT * FROM {self._ref(layer, name)} WHERE NOT COALESCE(({where}), FALSE)"

    def _rewrite(self, layer: SchemaName, name: str, kept: str, *coming: str) -> WriteCounts:
        """Write the rows that stay and those that come; nothing happens when that is what is there."""
        shelf = self._find_table(layer, name)
        shown = cast_columns_sql(shelf.columns)
        folder, there = self._tables.new_folder(layer, name)
        rows, staying = observe_count(self._run(f"SELECT {shown} FROM ({kept}) AS _kept"))
        arriving = None
        if coming:
            texts = " UNION ALL ".join(f"({text})" for text in coming)
            news, arriving = observe_count(self._run(f"SELECT {shown} FROM ({texts}) AS _news"))
            rows = rows.union(news)
        rows.write.parquet(str(there))
        inserted = int(arriving.get["rows"]) if arriving else 0
        written = WriteCounts(deleted=shelf.rows - int(staying.get["rows"]), inserted=inserted)
        if written.rows:
            total = shelf.rows - written.deleted + inserted
            self._tables.put_table(layer, name, replace(shelf, folder=folder, rows=total))
        else:
            shutil.rmtree(there, ignore_errors=True)
        return written


def _or_null(columns: Sequence[TableColumn], given: Sequence[str]) -> str:
    return ", ".join(f"{quote_name(c.name) if c.name in given else 'NULL'} AS {quote_name(c.name)}" for c in columns)


def _link(file: Path, beside: Path) -> None:
    """The same file in another folder, without a copy where the disk can."""
    try:
        os.link(file, beside)
    except OSError:
        shutil.copy2(file, beside)
