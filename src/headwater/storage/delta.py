"""Delta tables by delta-rs: each write is one commit of the table's own log, so a reader sees a complete version."""

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

_OBJECTS = re.compile(r"[a-z0-9]+://")
_ROWS = 50_000
_TIDY_EVERY = 20
"""Versions between two looks for files that no version of the last week names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaVersion:
    """A version of a Delta table: its number, and its files (below the table) with their rows."""

    number: int
    files: tuple[tuple[str, int], ...]


def write_version(
    url: str, files: Sequence[Path], *, mode: Literal["append", "overwrite"], options: dict[str, str]
) -> DeltaVersion:
    """Write the rows of Parquet files, as they come, to the Delta table at `url` as one version; it is made if need be."""
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
        if table.version() % _TIDY_EVERY == _TIDY_EVERY - 1:
            table.vacuum(dry_run=False)
        return _to_version(table)
    except (DeltaError, OSError) as error:
        raise _to_error(url, error) from error


def restore_version(url: str, version: int, *, options: dict[str, str]) -> None:
    """Let the table hold again what it held in an earlier version; nothing is written where it does."""
    try:
        table = DeltaTable(url, storage_options=options or None)
        if table.version() != version:
            table.restore(version)
    except (DeltaError, OSError) as error:
        raise _to_error(url, error) from error


def read_version(url: str, *, options: dict[str, str]) -> int | None:
    """The newest version of the table at `url`; None when there is none."""
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
    opened = [pq.ParquetFile(file) for file in files]
    # A file may say that a column holds no NULL, which is true of itself only.
    schema = pa.schema([pa.field(field.name, field.type) for field in opened[0].schema_arrow])
    batches = (batch for file in opened for batch in file.iter_batches(_ROWS))
    return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in batches))


def _to_error(url: str, error: Exception) -> WarehouseError | StoreError:
    kind = StoreError if _OBJECTS.match(url) else WarehouseError
    return kind("a Delta table cannot be written", where=url, details=str(error).splitlines()[0][:300])
