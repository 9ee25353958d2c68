"""The distinct values of one column of bronze, as text: the keys that a nested resource is read below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def read_keys(files: Sequence[str], column: str) -> set[str]:
    """The values of `column` in the Parquet `files`, as text; a file that lacks the column has none."""
    from pyarrow import parquet  # noqa: PLC0415 - heavy, and only nested resources need it

    keys: set[str] = set()
    for file in files:
        opened: Any = parquet.ParquetFile(file)
        if column in opened.schema_arrow.names:
            values = opened.read(columns=[column]).column(column)
            keys.update(str(value) for value in values.unique().to_pylist() if value is not None)
    return keys
