"""How files are written and read so that every value comes back as it was: NULL apart from '', instants in UTC, types kept."""

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
"""What is not quoted and empty is NULL; what is quoted is text."""


def file_suffix(file_format: StorageFormat) -> str:
    """The suffix of a format's files."""
    return "csv" if file_format == "csv" else "parquet"


def copy_sql(select: str, path: str, file_format: StorageFormat) -> str:
    """The statement that writes rows to a new file."""
    return f"COPY ({select}) TO {quote_literal(path)} ({_COPY[file_format]})"


def select_fitted(columns: Sequence[TableColumn], given: Sequence[str], select: str, file_format: StorageFormat) -> str:
    """The rows of `select`, whose columns are `given`, as rows of a table: in its order, of its types."""
    known = set(given)
    names = ", ".join(quote(name) for name in given)
    listed = ", ".join(_fitted_sql(column, file_format, given=column.name in known) for column in columns)
    return f"SELECT {listed} FROM ({select}) AS s({names})"


def select_files(columns: Sequence[TableColumn], paths: Sequence[str], file_format: StorageFormat) -> str:
    """The SELECT of the rows that files hold."""
    if not paths:
        return f"SELECT {', '.join(_null_sql(column) for column in columns)} WHERE FALSE"
    listed = ", ".join(_read_sql(column, file_format) for column in columns)
    files = f"[{', '.join(quote_literal(path) for path in paths)}]"
    if file_format == "csv":
        types = ", ".join(f"{quote_literal(column.name)}: {quote_literal(_type_sql(column))}" for column in columns)
        return f"SELECT {listed} FROM read_csv({files}, {_CSV}, columns = {{{types}}})"
    return f"SELECT {listed} FROM read_parquet({files}, hive_partitioning = false)"


def _type_sql(column: TableColumn) -> str:
    return render_dtype(column.dtype, DUCKDB)


def _null_sql(column: TableColumn) -> str:
    return f"CAST(NULL AS {_type_sql(column)}) AS {quote(column.name)}"


def _fitted_sql(column: TableColumn, file_format: StorageFormat, *, given: bool) -> str:
    name, wanted = quote(column.name), _type_sql(column)
    value = f"CAST(s.{name} AS {wanted})" if given else f"CAST(NULL AS {wanted})"
    if column.required:
        complaint = quote_literal(f"NOT NULL constraint failed: {column.name}")
        value = f"COALESCE({value}, CAST(ERROR({complaint}) AS {wanted}))"
    if file_format == "delta" and column.dtype == "timestamp":
        # Delta's own TIMESTAMP is an instant, which every reader knows; one without zone is known to newer readers only.
        value = f"CAST({value} AS TIMESTAMP WITH TIME ZONE)"
    return f"{value} AS {name}"


def _read_sql(column: TableColumn, file_format: StorageFormat) -> str:
    name = quote(column.name)
    if file_format == "delta" and column.dtype == "timestamp":
        return f"CAST({name} AT TIME ZONE 'UTC' AS TIMESTAMP) AS {name}"
    return f"CAST({name} AS {_type_sql(column)}) AS {name}"
