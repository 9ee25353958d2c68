"""Tables as files in a folder or a bucket, without a database: DuckDB runs the SQL, and a manifest commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from headwater.dtypes import DUCKDB, can_widen, render_dtype
from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Capabilities, SchemaName, StagedRows, Table, TableColumn, WriteCounts
from headwater.warehouse.dialect.dialect import PORTABLE
from headwater.warehouse.dialect.text import absent_condition, same_row_condition
from headwater.warehouse.dml import build_widening_error
from headwater.warehouse.files.manifest import StoredTable
from headwater.warehouse.files.tables import FileTables, find_names, generate_content_id
from headwater.warehouse.row_lookup import scan_costs_more, select_rows_by_key


class Files(FileTables):
    """A tenant's tables as files. One writer at a time; readers see the state that was committed when they opened it."""

    capabilities = Capabilities(dialect=PORTABLE, reads_lake=True, as_of_functions=True)

    def ensure(self, table: Table) -> None:
        """Create the table, or add and widen columns of the stored one. Raises WarehouseError if a type cannot be widened."""
        key = (table.layer, table.name)
        stored = self._tables.get(key)
        if stored is None:
            with self.transaction():
                empty = StoredTable(
                    columns=tuple(map(_to_storage_column, table.columns)), content_id=generate_content_id()
                )
                self._put(key, empty)
                if self._table_store.file_format == "delta":  # so that other readers find it too
                    self._rewrite(key, f"SELECT * FROM {self.ref(*key)}")
        else:
            self._fit_columns(table, stored.columns)
        if table.has_validity and not self._tables[key].has_as_of:
            with self.transaction():
                self._tables[key] = replace(self._tables[key], has_as_of=True)

    def _fit_columns(self, table: Table, stored: Sequence[TableColumn]) -> None:
        key = (table.layer, table.name)
        columns = {column.name: column for column in stored}
        for column in map(_to_storage_column, table.columns):
            current = columns.setdefault(column.name, replace(column, required=False))
            if current.dtype != column.dtype:
                if not can_widen(current.dtype, column.dtype):
                    raise build_widening_error(table, column, current.dtype, where=self.path)
                columns[column.name] = replace(column, required=current.required)
        if tuple(columns.values()) != tuple(stored):
            with self.transaction():
                self._rewrite(key, f"SELECT * FROM {self.ref(*key)}", tuple(columns.values()))

    def ensure_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Create or replace a view."""
        if self._views.get((layer, name)) == select:
            return
        with self.transaction():
            super().ensure_view(layer, name, select)
            self._views[layer, name] = select
            self._shown.add((layer, name))

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Return the columns of a stored table or view, or None if it does not exist."""
        stored = self._tables.get((layer, name))
        if stored is not None:
            return stored.columns
        self._show((layer, name))
        return super().describe(layer, name)

    def tables(self, layer: SchemaName) -> tuple[str, ...]:
        """Return the names of the stored tables and views of a layer, sorted."""
        return tuple(sorted(name for stored_layer, name in (*self._tables, *self._views) if stored_layer == layer))

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view if it exists."""
        key = (layer, name)
        if key in self._tables or key in self._views:
            with self.transaction():
                self._hide(layer, name)
                self._tables.pop(key, None)
                self._views.pop(key, None)

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with their values."""
        key = (layer, name)
        rest = tuple(column for column in self._tables[key].columns if column.name not in columns)
        with self.transaction():
            self._rewrite(key, f"SELECT {column_list_sql(column.name for column in rest)} FROM {self.ref(*key)}", rest)

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Rename columns of a stored table (stored name -> new name). Rows and the order of columns stay."""
        key, ref = (layer, name), self.ref(layer, name)
        stored = self._tables[key].columns
        renamed = tuple(replace(column, name=names.get(column.name, column.name)) for column in stored)
        values = ", ".join(
            f"{quote(before.name)} AS {quote(after.name)}" for before, after in zip(stored, renamed, strict=True)
        )
        with self.transaction():
            self._rewrite(key, f"SELECT {values} FROM {ref}", renamed, names=[column.name for column in renamed])

    select_rows = select_rows_by_key
    is_small = scan_costs_more

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Insert the rows of `select` (in the order of `columns`) into a stored table, as one more file; return their number."""
        key = (layer, name)
        with self.transaction():
            stored = self._tables[key]
            file = self._write_file(key, stored.columns, columns, select)
            if file.rows:
                self._put(key, replace(stored, files=(*stored.files, file), content_id=generate_content_id()))
        return file.rows

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Delete the rows that meet a condition over their own columns; return their number."""
        ref = self.ref(layer, name)
        with self.transaction():
            if not self.rows(f"SELECT 1 FROM {ref} WHERE {where} LIMIT 1"):
                return 0
            before = self._tables[layer, name].rows
            return before - self._rewrite((layer, name), f"SELECT * FROM {ref} WHERE ({where}) IS NOT TRUE")

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Update the rows that meet a condition over their own columns; return their number."""
        ref, stored = self.ref(layer, name), self._tables[layer, name]
        with self.transaction():
            count = int(self.rows(f"SELECT COUNT(*) FROM {ref} WHERE {where}")[0][0])
            if count:
                values_sql = ", ".join(
                    f"CASE WHEN ({where}) IS TRUE THEN CAST({values[column.name]} AS {render_dtype(column.dtype, DUCKDB)}) "
                    f"ELSE {quote(column.name)} END AS {quote(column.name)}"
                    if column.name in values
                    else quote(column.name)
                    for column in stored.columns
                )
                self._rewrite((layer, name), f"SELECT {values_sql} FROM {ref}")
        return count

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
        names = column_list_sql(table.names)
        same = " AND ".join(f"m.{quote(old_key_columns[name])} = s.{quote(name)}" for name in table.primary_key)
        insert = f"SELECT {names} FROM {changes} WHERE {quote(table.primary_key[0])} IS NOT NULL"
        with self.transaction():
            deleted = self._delete_rows(table, f"EXISTS (SELECT 1 FROM {changes} AS m WHERE {same})")
            select = f"{insert} UNION ALL SELECT {names} FROM ({inserts}) AS a" if inserts else insert
            return WriteCounts(deleted=deleted, inserted=self.append(table.layer, table.name, table.names, select))

    def replace_rows(self, table: Table, *, keys: str, new_rows: str, stored: StagedRows | None = None) -> WriteCounts:
        """Make the stored rows whose `table.key` is in `keys` equal to `new_rows`, touching only rows that differ."""
        del stored  # rows have no ids here
        ref, names = self.ref(table.layer, table.name), column_list_sql(table.names)
        key_condition = f"EXISTS (SELECT 1 FROM {keys} AS k WHERE {same_row_condition(table.key, 'k', 's')})"
        with self.transaction():
            before = self.stage("replaced__stored", f"SELECT {names} FROM {ref} AS s WHERE {key_condition}")
            added = self.stage(
                "replaced__added",
                f"SELECT {names} FROM {new_rows} AS f WHERE {absent_condition(table, 'f', before)}",
            )
            has_deletes = self.rows(
                f"SELECT 1 FROM {before} AS s WHERE {absent_condition(table, 's', new_rows)} LIMIT 1"
            )
            deleted = (
                self._delete_rows(table, f"{key_condition} AND {absent_condition(table, 's', new_rows)}")
                if has_deletes
                else 0
            )
            inserted = self.append(table.layer, table.name, table.names, f"SELECT {names} FROM {added}")
            for name in ("replaced__stored", "replaced__added"):
                self.unstage(name)
        return WriteCounts(deleted=deleted, inserted=inserted)

    def _delete_rows(self, table: Table, condition: str) -> int:
        """Delete the rows `s` of a table that meet a condition, which can read staged tables; return their number."""
        key, ref = (table.layer, table.name), self.ref(table.layer, table.name)
        before = self._tables[key].rows
        if not before or not self.rows(f"SELECT 1 FROM {ref} AS s WHERE {condition} LIMIT 1"):
            return 0
        return before - self._rewrite(
            key, f"SELECT {column_list_sql(self._tables[key].names)} FROM {ref} AS s WHERE NOT ({condition})"
        )

    def digest(self, layer: SchemaName, name: str) -> str:
        """Return a text that changes when rows or columns of a table do. No file is read."""
        view = self._views.get((layer, name))
        if view is None:
            return self._tables[layer, name].content_id
        return "+".join([view, *(self.digest(*key) for key in sorted(set(find_names(view))))])


def _to_storage_column(column: TableColumn) -> TableColumn:
    """Return the column as DuckDB stores it: JSON is text."""
    return replace(column, dtype="text") if column.dtype == "json" else column
