"""Tables on their way out of Spark: written by Spark itself where it is this machine's, streamed from it where it is not."""

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
"""Rows that are held at once."""


def compute_digest(run: Callable[[str], Any], ref: str, columns: Sequence[TableColumn]) -> str:
    """A text that changes when rows or columns of a table do, whatever their order."""
    # A NULL leaves Spark's hash as it is, so each value says whether it is one.
    values = ", ".join(f"{quote_name(column.name)}, {quote_name(column.name)} IS NULL" for column in columns)
    select = f"SELECT COUNT(*), SUM(CAST(XXHASH64({values}) AS DECIMAL(38, 0))) FROM {ref}"
    count, total = run(select).collect()[0]
    described = ", ".join(f"{column.name} {column.dtype}" for column in columns)
    return hashlib.sha256(f"{described}|{count}|{total}".encode()).hexdigest()


def write_locally(rows: Any, path: str, file_format: FileFormat) -> int:
    """Let a Spark of this machine write rows to a new file; how many."""
    beside = Path(f"{path}.parts")
    try:
        whole, count = observe_count(rows.coalesce(1))
        whole.write.option("compression", "zstd").parquet(str(beside))
        file = next(beside.glob("part-*.parquet"))
        if file_format == "parquet":
            shutil.move(file, path)
        else:
            with closing(DuckDB("export", ":memory:", threads=1)) as engine:
                engine.execute(
                    f"COPY (FROM {quote_literal(str(file))}) TO {quote_literal(path)} (FORMAT csv, HEADER true)"
                )
        return int(count.get["rows"])
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_stream(rows: Any, columns: Sequence[TableColumn], path: str, file_format: FileFormat) -> int:
    """Write rows to a new file as they come from a Spark somewhere else; how many."""
    return write_rows(columns, _read_groups(rows.toLocalIterator()), path, file_format)


def _read_groups(rows: Iterable[Any]) -> Iterator[list[tuple[Any, ...]]]:
    coming = iter(rows)
    while group := [tuple(row) for row in itertools.islice(coming, _GROUP)]:
        yield group
