"""Parquet of the lake on its way into a warehouse: read there where it can, by a DuckDB in memory where it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from headwater.warehouse.base import ArrowStream, Warehouse
from headwater.warehouse.dialect.dialect import PORTABLE
from headwater.warehouse.duckdb.engine import DuckDB


class LakeReader(AbstractContextManager["LakeReader"]):
    """Answers SELECTs over files of the lake and stages their rows in the warehouse.

    They name no table of the warehouse. Of which types they are DuckDB decides for every engine, from the files' footers.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        facts = warehouse.capabilities
        self._own = None if facts.reads_lake and facts.dialect is PORTABLE else DuckDB(warehouse.tenant, ":memory:")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own:
            self._own.close()

    def types(self, select: str) -> dict[str, str]:
        """The columns of a SELECT and their types, in DuckDB's spelling. No record is read."""
        return {row[0]: row[1] for row in (self._own or self._warehouse).rows(f"DESCRIBE {select}")}

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        """The rows of a small answer."""
        if self._own is not None and not self._warehouse.capabilities.reads_lake:
            return self._own.rows(select)
        return self._warehouse.rows(select)

    def stage(self, name: str, selects: Sequence[str]) -> str:
        """The rows of SELECTs with the same columns as one temporary table of the warehouse; the quoted name to use."""
        if self._own is not None and not self._warehouse.capabilities.reads_lake:
            return self._warehouse.stage(name, _chain_batches(self._own, selects))
        return self._warehouse.stage(name, *selects)


def _chain_batches(source: DuckDB, selects: Sequence[str]) -> ArrowStream:
    """The rows of all SELECTs as they come: no more than a few batches are held at once."""
    # Only engines that do not read the lake by themselves come here; their extras bring pyarrow.
    import pyarrow as pa  # noqa: PLC0415

    first = source.arrow_batches(selects[0])

    def batches() -> Iterator[Any]:
        yield from first
        for select in selects[1:]:
            yield from source.arrow_batches(select)

    return pa.RecordBatchReader.from_batches(first.schema, batches())
