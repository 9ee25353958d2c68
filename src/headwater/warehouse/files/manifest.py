"""What the pointer of a tenant's tables says: which files make up each table, and what its columns mean."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from headwater.errors import WarehouseError
from headwater.warehouse.base import SchemaName, TableColumn

StorageFormat = Literal["parquet", "csv", "delta"]
"""What tables are kept as."""

VERSION = 1
"""The version of this grammar."""

Key = tuple[SchemaName, str]
"""Layer and name of a table or view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """A file of a table. It never changes."""

    path: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTable:
    """A table: its columns, and the files that hold its rows."""

    columns: tuple[TableColumn, ...]
    files: tuple[TableFile, ...] = ()
    content_id: str = ""
    """Another one whenever rows or columns are."""
    has_as_of: bool = False
    """Whether `<name>_asof(instant)` is there."""
    delta: int | None = None
    """The version of the Delta table that holds this content."""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(piece.rows for piece in self.files)

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

    def paths(self) -> Iterator[str]:
        """Every file that it names."""
        return (piece.path for table in self.tables.values() for piece in table.files)


def dump_manifest(pointer: Manifest) -> bytes:
    """The pointer as it is stored."""
    told = {
        "version": VERSION,
        "state": pointer.state,
        "format": pointer.file_format,
        "committed_at": pointer.committed_at,
        "tables": {".".join(key): _dump_table(table) for key, table in sorted(pointer.tables.items())},
        "views": {".".join(key): select for key, select in sorted(pointer.views.items())},
    }
    return (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()


def parse_manifest(body: bytes, *, where: str) -> Manifest:
    """The pointer that was stored; WarehouseError where it is damaged or of a newer Headwater."""
    try:
        told = json.loads(body)
        if told["version"] > VERSION:
            raise WarehouseError(
                "a newer version of Headwater wrote these tables",
                where=where,
                details=f"version {told['version']}, supported up to {VERSION}",
                hint="upgrade headwater",
            )
        return Manifest(
            state=told["state"],
            file_format=told["format"],
            committed_at=told["committed_at"],
            tables={_parse_key(name): _parse_table(table) for name, table in told["tables"].items()},
            views={_parse_key(name): select for name, select in told["views"].items()},
        )
    except (ValueError, KeyError, TypeError) as error:
        hint = "restore an earlier copy of the file, or remove the tenant's folder and run `headwater rebuild`"
        details = f"{type(error).__name__}: {error}"
        raise WarehouseError(
            "the pointer file of the tables is damaged", where=where, details=details, hint=hint
        ) from error


def _dump_table(table: StoredTable) -> dict[str, Any]:
    return {
        "columns": [[column.name, column.dtype, column.required] for column in table.columns],
        "files": [[piece.path, piece.rows] for piece in table.files],
        "content": table.content_id,
        "asof": table.has_as_of,
        "delta": table.delta,
    }


def _parse_table(told: dict[str, Any]) -> StoredTable:
    return StoredTable(
        columns=tuple(
            TableColumn(name=name, dtype=dtype, required=required) for name, dtype, required in told["columns"]
        ),
        files=tuple(TableFile(path=path, rows=rows) for path, rows in told["files"]),
        content_id=told["content"],
        has_as_of=told["asof"],
        delta=told["delta"],
    )


def _parse_key(name: str) -> Key:
    layer, _, table = name.partition(".")
    return cast("SchemaName", layer), table
