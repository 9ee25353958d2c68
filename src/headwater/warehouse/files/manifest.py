"""The manifest of a tenant's tables: the files of each table, and its columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from headwater.errors import WarehouseError
from headwater.warehouse.base import SchemaName, TableColumn

StorageFormat = Literal["parquet", "csv", "delta"]
"""The format of the stored tables."""

VERSION = 1
"""The version of the manifest's format."""

Key = tuple[SchemaName, str]
"""Layer and name of a table or view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """A file of a table. It never changes."""

    path: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTable:
    """A table: its columns, and the files with its rows."""

    columns: tuple[TableColumn, ...]
    files: tuple[TableFile, ...] = ()
    content_id: str = ""
    """Changes whenever rows or columns do."""
    has_as_of: bool = False
    """Whether `<name>_asof(instant)` exists."""
    delta: int | None = None
    """The version of the Delta table with this content."""

    @property
    def rows(self) -> int:
        """The number of its rows."""
        return sum(file.rows for file in self.files)

    @property
    def names(self) -> tuple[str, ...]:
        """Its column names, in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One state of all tables of a tenant."""

    state: str = ""
    file_format: StorageFormat = "parquet"
    committed_at: str = ""
    tables: Mapping[Key, StoredTable] = field(default_factory=dict)
    views: Mapping[Key, str] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of all files of all tables."""
        return tuple(file.path for table in self.tables.values() for file in table.files)


def dump_manifest(manifest: Manifest) -> bytes:
    """Encode a manifest as JSON."""
    record = {
        "version": VERSION,
        "state": manifest.state,
        "format": manifest.file_format,
        "committed_at": manifest.committed_at,
        "tables": {".".join(key): _dump_table(table) for key, table in sorted(manifest.tables.items())},
        "views": {".".join(key): select for key, select in sorted(manifest.views.items())},
    }
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode()


def parse_manifest(body: bytes, *, where: str) -> Manifest:
    """Decode a manifest. Raises WarehouseError if it is damaged or was written by a newer version of Headwater."""
    try:
        record = json.loads(body)
        if record["version"] > VERSION:
            raise WarehouseError(
                "a newer version of Headwater wrote these tables",
                where=where,
                details=f"version {record['version']}, supported up to {VERSION}",
                hint="upgrade headwater",
            )
        return Manifest(
            state=record["state"],
            file_format=record["format"],
            committed_at=record["committed_at"],
            tables={_parse_key(name): _parse_table(table) for name, table in record["tables"].items()},
            views={_parse_key(name): select for name, select in record["views"].items()},
        )
    except (ValueError, KeyError, TypeError) as error:
        hint = "restore an earlier copy of the file, or remove the tenant's folder and run `headwater rebuild`"
        details = f"{type(error).__name__}: {error}"
        raise WarehouseError(
            "the manifest of the tables is damaged", where=where, details=details, hint=hint
        ) from error


def _dump_table(table: StoredTable) -> dict[str, Any]:
    return {
        "columns": [[column.name, column.dtype, column.required] for column in table.columns],
        "files": [[file.path, file.rows] for file in table.files],
        "content": table.content_id,
        "asof": table.has_as_of,
        "delta": table.delta,
    }


def _parse_table(record: dict[str, Any]) -> StoredTable:
    return StoredTable(
        columns=tuple(
            TableColumn(name=name, dtype=dtype, required=required) for name, dtype, required in record["columns"]
        ),
        files=tuple(TableFile(path=path, rows=rows) for path, rows in record["files"]),
        content_id=record["content"],
        has_as_of=record["asof"],
        delta=record["delta"],
    )


def _parse_key(name: str) -> Key:
    layer, _, table = name.partition(".")
    return cast("SchemaName", layer), table
