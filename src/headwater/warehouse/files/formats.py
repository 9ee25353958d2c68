"""SQL that writes and reads files without loss: NULL differs from '', instants are in UTC, and types are kept."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.dtypes import DUCKDB, render_dtype
from headwater.names import quote, quote_literal
from headwater.warehouse.base import TableColumn
from headwater.warehouse.files.manifest import StorageFormat

_COPY = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "delta": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER true",
}

_CSV = (
    "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
    "allow_quoted_nulls = false, max_line_size = 33554432"
)
"""An empty unquoted value is NULL; a quoted value is text."""


def get_file_suffix(file_format: StorageFormat) -> str:
    """Return the suffix of a format's files."""
    return "csv" if file_format == "csv" else "parquet"


def copy_sql(select: str, path: str, file_format: StorageFormat) -> str:
    """The COPY statement that writes rows to a new file."""
    return f"COPY ({select}) TO {quote_literal(path)} ({_COPY[file_format]})"


def select_typed(columns: Sequence[TableColumn], names: Sequence[str], select: str, file_format: StorageFormat) -> str:
    """SELECT of the rows of `select` (with the columns `names`) in the order and the types of the table's columns."""
    present = set(names)
    aliases = ", ".join(quote(name) for name in names)
    values = ", ".join(_typed_sql(column, file_format, is_present=column.name in present) for column in columns)
    return f"SELECT {values} FROM ({select}) AS s({aliases})"


def select_files(columns: Sequence[TableColumn], paths: Sequence[str], file_format: StorageFormat) -> str:
    """SELECT of the rows of files."""
    if not paths:
        return f"SELECT {', '.join(_null_sql(column) for column in columns)} WHERE FALSE"
    values = ", ".join(_read_sql(column, file_format) for column in columns)
    files = f"[{', '.join(quote_literal(path) for path in paths)}]"
    if file_format == "csv":
        types = ", ".join(f"{quote_literal(column.name)}: {quote_literal(_type_sql(column))}" for column in columns)
        return f"SELECT {values} FROM read_csv({files}, {_CSV}, columns = {{{types}}})"
    return f"SELECT {values} FROM read_parquet({files}, hive_partitioning = false)"


def _type_sql(column: TableColumn) -> str:
    return render_dtype(column.dtype, DUCKDB)


def _null_sql(column: TableColumn) -> str:
    return f"CAST(NULL AS {_type_sql(column)}) AS {quote(column.name)}"


def _typed_sql(column: TableColumn, file_format: StorageFormat, *, is_present: bool) -> str:
    name, wanted = quote(column.name), _type_sql(column)
    value = f"CAST(s.{name} AS {wanted})" if is_present else f"CAST(NULL AS {wanted})"
    if column.required:
        message = quote_literal(f"NOT NULL constraint failed: {column.name}")
        value = f"COALESCE({value}, CAST(ERROR({message}) AS {wanted}))"
    if file_format == "delta" and column.dtype == "timestamp":
        # Every reader supports Delta's TIMESTAMP, an instant; only newer readers support timestamps without a zone.
        value = f"CAST({value} AS TIMESTAMP WITH TIME ZONE)"
    return f"{value} AS {name}"


def _read_sql(column: TableColumn, file_format: StorageFormat) -> str:
    name = quote(column.name)
    if file_format == "delta" and column.dtype == "timestamp":
        return f"CAST({name} AT TIME ZONE 'UTC' AS TIMESTAMP) AS {name}"
    return f"CAST({name} AS {_type_sql(column)}) AS {name}"
