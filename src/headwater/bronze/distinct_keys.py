"""The distinct values of a bronze column, as text: the keys of the parents of a nested resource."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from headwater.names import quote, quote_literal


def read_keys(files: Sequence[str], column: str) -> set[str]:
    """The distinct values of `column` in Parquet `files`, as text. A file without the column has none."""
    keys: set[str] = set()
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        for file in files:
            source = f"read_parquet({quote_literal(file)})"
            names = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
            if column in names:
                select = f"SELECT DISTINCT {quote(column)} FROM {source} WHERE {quote(column)} IS NOT NULL"
                keys.update(str(key) for (key,) in connection.execute(select).fetchall())
    return keys
