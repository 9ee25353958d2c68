"""Writes the rows of an engine to a file. Every engine gives the file that DuckDB would write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from headwater.errors import WarehouseError
from headwater.names import quote_literal
from headwater.warehouse.base import FileFormat, TableColumn
from headwater.warehouse.duckdb.engine import DuckDB

_TYPES: dict[str, Any] = {
    "text": pa.string(),
    "json": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def to_arrow_type(dtype: str) -> Any:
    """Return the Arrow type of one of `headwater.dtypes`."""
    match = _DECIMAL.fullmatch(dtype)
    return pa.decimal128(int(match[1]), int(match[2])) if match else _TYPES.get(dtype, pa.string())


def answer_by_arrow(self: Any, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """`Warehouse.answer`, for an engine whose `answer_arrow` returns a pyarrow Table."""
    table = self.answer_arrow(statement)
    columns = [column.to_pylist() for column in table.columns]
    return tuple(table.column_names), list(zip(*columns, strict=True))


def write_rows(
    columns: Sequence[TableColumn], rows: Iterable[Sequence[tuple[Any, ...]]], path: str, file_format: FileFormat
) -> int:
    """Write groups of rows to a new file; return how many rows. Memory holds one group at a time."""
    schema = pa.schema([pa.field(column.name, to_arrow_type(column.dtype)) for column in columns])
    target = Path(path) if file_format == "parquet" else Path(f"{path}.parquet")
    count = 0
    try:
        with pq.ParquetWriter(target, schema, compression="zstd") as file:
            for group in rows:
                arrays = [
                    pa.array(values, field.type) for values, field in zip(zip(*group, strict=True), schema, strict=True)
                ]
                file.write_table(pa.Table.from_arrays(arrays, schema=schema))
                count += len(group)
        if file_format == "csv":
            with closing(DuckDB("export", ":memory:", threads=1)) as engine:
                engine.execute(
                    f"COPY (FROM {quote_literal(str(target))}) TO {quote_literal(path)} (FORMAT csv, HEADER true)"
                )
    except OSError as error:
        raise WarehouseError(
            "a table cannot be written to a file", where=path, details=error.strerror or str(error)
        ) from error
    finally:
        if file_format == "csv":
            with suppress(OSError):
                target.unlink()
    return count
