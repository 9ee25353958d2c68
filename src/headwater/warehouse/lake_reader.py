"""Loads Parquet of the lake into a warehouse: the engine reads it if it can, else an in-memory DuckDB does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from headwater.warehouse.base import ArrowStream, Warehouse
from headwater.warehouse.dialect.dialect import PORTABLE
from headwater.warehouse.duckdb.engine import DuckDB


class LakeReader(AbstractContextManager["LakeReader"]):
    """Runs SELECTs over files of the lake and stages their rows in the warehouse.

    The SELECTs read no table of the warehouse. DuckDB infers their types for every engine, from the footers of the files.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        capabilities = warehouse.capabilities
        self._duckdb = (
            None
            if capabilities.reads_lake and capabilities.dialect is PORTABLE
            else DuckDB(warehouse.tenant, ":memory:")
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._duckdb:
            self._duckdb.close()

    @property
    def duckdb(self) -> Warehouse:
        """The DuckDB that reads the files: the warehouse itself, or one in memory."""
        return self._duckdb or self._warehouse

    def read_types(self, select: str) -> dict[str, str]:
        """Return the columns of a SELECT and their types in DuckDB's syntax. No record is read."""
        return {row[0]: row[1] for row in (self._duckdb or self._warehouse).rows(f"DESCRIBE {select}")}

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        """Return the rows of a small result."""
        if self._duckdb is not None and not self._warehouse.capabilities.reads_lake:
            return self._duckdb.rows(select)
        return self._warehouse.rows(select)

    def stage(self, name: str, selects: Sequence[str]) -> str:
        """Store the rows of SELECTs with the same columns in one temporary table of the warehouse; return its quoted name."""
        if self._duckdb is not None and not self._warehouse.capabilities.reads_lake:
            return self._warehouse.stage(name, _chain_batches(self._duckdb, selects))
        return self._warehouse.stage(name, *selects)


def _chain_batches(source: DuckDB, selects: Sequence[str]) -> ArrowStream:
    """Return the rows of all SELECTs as one stream, with only a few batches in memory at a time."""
    # Only engines that cannot read the lake themselves need this; their extras install pyarrow.
    import pyarrow as pa  # noqa: PLC0415

    first = source.fetch_arrow_batches(selects[0])

    def read_batches() -> Iterator[Any]:
        yield from first
        for select in selects[1:]:
            yield from source.fetch_arrow_batches(select)

    return pa.RecordBatchReader.from_batches(first.schema, read_batches())
