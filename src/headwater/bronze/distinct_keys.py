"""The distinct values of one column of bronze, as text: the keys that a nested resource is read below."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from headwater.names import literal, quote


def read_keys(files: Sequence[str], column: str) -> set[str]:
    """The values of `column` in the Parquet `files`, as text; a file that lacks the column has none."""
    keys: set[str] = set()
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        for file in files:
            source = f"read_parquet({literal(file)})"
            names = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
            if column in names:
                select = f"SELECT DISTINCT {quote(column)} FROM {source} WHERE {quote(column)} IS NOT NULL"
                keys.update(str(key) for (key,) in connection.execute(select).fetchall())
    return keys
