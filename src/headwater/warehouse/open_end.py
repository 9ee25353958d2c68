"""Exports tables for readers that cannot represent the instant of an open end: NULL replaces it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from headwater.names import quote_literal
from headwater.temporal.sql import FOREVER
from headwater.warehouse.base import CanExport, FileFormat, SchemaName, Warehouse
from headwater.warehouse.duckdb.engine import COPY_OPTIONS, DuckDB

END = "valid_to"


def has_validity(warehouse: Warehouse, layer: SchemaName, table: str) -> bool:
    """Whether rows of a table have an end of validity."""
    return any(column.name == END for column in warehouse.describe(layer, table) or ())


def export_without_end(warehouse: CanExport, layer: SchemaName, table: str, path: Path, file_format: FileFormat) -> int:
    """Write a table's rows to a new file, with NULL for an open end; return their number."""
    draft = path.with_name(f"{path.name}.ends")
    try:
        warehouse.export(layer, table, str(draft), "parquet")
        with closing(DuckDB(warehouse.tenant, ":memory:")) as engine:
            rows = f"SELECT * REPLACE (NULLIF({END}, {FOREVER}) AS {END})"
            source = f"read_parquet({quote_literal(str(draft))})"
            return engine.execute(
                f"COPY ({rows} FROM {source}) TO {quote_literal(str(path))} ({COPY_OPTIONS[file_format]})"
            )
    finally:
        draft.unlink(missing_ok=True)
