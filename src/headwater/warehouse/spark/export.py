"""Exports tables of Spark: a local Spark writes the files itself; a remote one streams the rows."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from headwater.names import quote_literal
from headwater.warehouse.base import FileFormat, TableColumn
from headwater.warehouse.duckdb.engine import DuckDB
from headwater.warehouse.export import write_rows
from headwater.warehouse.spark.ddl import quote_name
from headwater.warehouse.spark.temp_views import observe_count

_GROUP = 50_000
"""Rows in memory at a time."""


def compute_digest(run: Callable[[str], Any], ref: str, columns: Sequence[TableColumn]) -> str:
    """Return a text that changes when rows or columns of a table do, independent of the order of rows."""
    # Spark's hash ignores NULL, so each value is followed by whether it is NULL.
    values = ", ".join(f"{quote_name(column.name)}, {quote_name(column.name)} IS NULL" for column in columns)
    select = f"SELECT COUNT(*), SUM(CAST(XXHASH64({values}) AS DECIMAL(38, 0))) FROM {ref}"
    count, total = run(select).collect()[0]
    described = ", ".join(f"{column.name} {column.dtype}" for column in columns)
    return hashlib.sha256(f"{described}|{count}|{total}".encode()).hexdigest()


def write_locally(rows: Any, path: str, file_format: FileFormat) -> int:
    """Write rows to a new file by a local Spark; return their number."""
    folder = Path(f"{path}.parts")
    try:
        single, count = observe_count(rows.coalesce(1))
        single.write.option("compression", "zstd").parquet(str(folder))
        file = next(folder.glob("part-*.parquet"))
        if file_format == "parquet":
            shutil.move(file, path)
        else:
            with closing(DuckDB("export", ":memory:", threads=1)) as engine:
                engine.execute(
                    f"COPY (FROM {quote_literal(str(file))}) TO {quote_literal(path)} (FORMAT csv, HEADER true)"
                )
        return int(count.get["rows"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_stream(rows: Any, columns: Sequence[TableColumn], path: str, file_format: FileFormat) -> int:
    """Write rows that a remote Spark streams to a new file; return their number."""
    return write_rows(columns, _read_groups(rows.toLocalIterator()), path, file_format)


def _read_groups(rows: Iterable[Any]) -> Iterator[list[tuple[Any, ...]]]:
    iterator = iter(rows)
    while group := [tuple(row) for row in itertools.islice(iterator, _GROUP)]:
        yield group
