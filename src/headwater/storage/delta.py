"""Delta tables with delta-rs. Each write is one commit in the log of the table, so a reader sees a complete version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from headwater.errors import StoreError, WarehouseError

_OBJECT_STORE_URL = re.compile(r"[a-z0-9]+://")
_BATCH_ROWS = 50_000
_VACUUM_EVERY = 20
"""The number of versions between two vacuums, which remove files that no version of the last week uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaVersion:
    """A version of a Delta table: its number, and its files (relative to the table) with their row counts."""

    number: int
    files: tuple[tuple[str, int], ...]


def write_version(
    url: str, files: Sequence[Path], *, mode: Literal["append", "overwrite"], options: dict[str, str]
) -> DeltaVersion:
    """Write the rows of Parquet files, in order, to the Delta table at `url` as one version. Create the table if needed."""
    try:
        write_deltalake(
            url,
            _open_stream(files),
            mode=mode,
            schema_mode="overwrite" if mode == "overwrite" else None,
            storage_options=options or None,
            commit_properties=CommitProperties(custom_metadata={"writer": "headwater"}),
        )
        table = DeltaTable(url, storage_options=options or None)
        if table.version() % _VACUUM_EVERY == _VACUUM_EVERY - 1:
            table.vacuum(dry_run=False)
        return _to_version(table)
    except (DeltaError, OSError) as error:
        raise _to_error(url, error) from error


def restore_version(url: str, version: int, *, options: dict[str, str]) -> None:
    """Restore an earlier version of the table. Nothing is written if it is the current version."""
    try:
        table = DeltaTable(url, storage_options=options or None)
        if table.version() != version:
            table.restore(version)
    except (DeltaError, OSError) as error:
        raise _to_error(url, error) from error


def read_version(url: str, *, options: dict[str, str]) -> int | None:
    """The newest version of the table at `url`, or None if there is no table."""
    try:
        return DeltaTable(url, storage_options=options or None).version()
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:
        raise _to_error(url, error) from error


def _to_version(table: DeltaTable) -> DeltaVersion:
    actions: Any = pa.table(table.get_add_actions(flatten=True))
    files = zip(actions["path"].to_pylist(), actions["num_records"].to_pylist(), strict=True)
    return DeltaVersion(number=table.version(), files=tuple(sorted(files)))


def _open_stream(files: Sequence[Path]) -> pa.RecordBatchReader:
    parquet_files = [pq.ParquetFile(file) for file in files]
    # A file may declare a column as not nullable, which is only true for this file.
    schema = pa.schema([pa.field(field.name, field.type) for field in parquet_files[0].schema_arrow])
    batches = (batch for file in parquet_files for batch in file.iter_batches(_BATCH_ROWS))
    return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in batches))


def _to_error(url: str, error: Exception) -> WarehouseError | StoreError:
    kind = StoreError if _OBJECT_STORE_URL.match(url) else WarehouseError
    return kind("a Delta table cannot be written", where=url, details=str(error).splitlines()[0][:300])
