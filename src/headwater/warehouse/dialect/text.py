"""Builds portable SQL of rows, tables and counts as text, without the parser, which takes time to import."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from headwater.dtypes import DUCKDB, render_dtype
from headwater.names import quote
from headwater.warehouse.base import SchemaName, Table, TableColumn, Warehouse


def same_row_condition(columns: Iterable[str], left: str, right: str) -> str:
    """The condition that two rows are equal in all `columns`, where NULL equals NULL."""
    return " AND ".join(f"{left}.{quote(name)} IS NOT DISTINCT FROM {right}.{quote(name)}" for name in columns)


def create_table_sql(table: Table, ref: str, *, plain: Collection[str] = ()) -> str:
    """The CREATE TABLE statement of a stored table, in DuckDB's syntax.

    Texts in `plain` columns are not compressed: to read a few compressed texts, DuckDB would decompress all of them.
    """
    columns = ", ".join(_column_sql(column, plain=column.name in plain) for column in table.columns)
    return f"CREATE TABLE {ref} ({columns})"


def _column_sql(column: TableColumn, *, plain: bool) -> str:
    compression = " USING COMPRESSION uncompressed" if plain and column.dtype == "text" else ""
    required = " NOT NULL" if column.required else ""
    return f"{quote(column.name)} {render_dtype(column.dtype, DUCKDB)}{compression}{required}"


def absent_condition(table: Table, rows: str, others: str) -> str:
    """The condition that no row of `others` equals one of `rows` in all columns of `table`."""
    return f"NOT EXISTS (SELECT 1 FROM {others} AS o WHERE {same_row_condition(table.names, 'o', rows)})"


def read_counts(warehouse: Warehouse, selects: Iterable[str]) -> list[int]:
    """Count the rows of several SELECTs with one statement."""
    parts = (f"SELECT {number} AS number, COUNT(*) AS count FROM ({text}) AS c" for number, text in enumerate(selects))
    return [int(row[1]) for row in sorted(warehouse.rows("\nUNION ALL ".join(parts)))]


def count_rows(warehouse: Warehouse, layer: SchemaName, name: str) -> int:
    """Count the rows of a stored table."""
    return int(warehouse.rows(f"SELECT COUNT(*) FROM {warehouse.ref(layer, name)}")[0][0])
