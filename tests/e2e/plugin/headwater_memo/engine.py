"""The engine: DuckDB, with files of another name."""

from __future__ import annotations

from headwater.warehouse.duckdb.engine import DuckDB


class Memo(DuckDB):
    """A tenant's memo file."""
