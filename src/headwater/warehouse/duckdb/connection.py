"""Connects to a DuckDB file, and converts the errors of DuckDB."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb

from headwater.errors import WarehouseError
from headwater.names import quote_literal

STORAGE = "v1.2.0"
"""The default storage version of a new file, which DuckDB 1.2 to 1.5 can open too. A merge takes 4 to 8 % more CPU."""

_SMALL = 64 << 20
"""A file of fewer bytes is small."""


def is_small_file(path: str) -> bool:
    """Whether a file exists and is small. A new one is not: nobody knows how much a first load writes."""
    return path != ":memory:" and Path(path).exists() and Path(path).stat().st_size < _SMALL


def connect(path: str, config: dict[str, Any], *, storage: str = STORAGE, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Connect to a file (or `:memory:`). Raises WarehouseError if that fails.

    An existing file keeps its storage version.
    """
    try:
        if path != ":memory:" and not read_only:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            if not Path(path).exists() or not Path(path).stat().st_size:
                _create_file(path, storage)
        return duckdb.connect(path, read_only=read_only, config=config)
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise WarehouseError(
                "the warehouse is in use by another process",
                where=path,
                details=_find_lock_owner(str(error)),
                hint="wait until it finishes, or close the program that has the file open (a notebook, a DuckDB shell)",
            ) from error
        hint = (
            "`headwater run` creates it"
            if read_only
            else "check that the path is a DuckDB file that this user can write"
        )
        raise WarehouseError(
            "the warehouse cannot be opened", where=path, details=_shorten_message(error), hint=hint
        ) from error
    except OSError as error:
        hint = "check the path of the warehouse and the permissions of its folder"
        raise WarehouseError("the warehouse cannot be opened", where=path, details=str(error), hint=hint) from error


def _create_file(path: str, storage: str) -> None:
    """Create a file. If the storage version were a setting of the connection, a notebook in this process could not open it."""
    with duckdb.connect() as connection:
        version = "" if storage == "latest" else f" (STORAGE_VERSION {quote_literal(storage)})"
        connection.execute(f"ATTACH {quote_literal(path)} AS new_file{version}")
        connection.execute("DETACH new_file")


def warn_newer_storage(connection: duckdb.DuckDBPyConnection, path: str, storage: str) -> tuple[str, ...]:
    """Return a warning if the file needs a newer DuckDB than declared."""
    if path == ":memory:" or storage == "latest":
        return ()
    select = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = current_database()"
    row = connection.execute(select).fetchone()
    stored = str(row[0]) if row and row[0] else ""
    if _parse_version(stored) <= _parse_version(storage):
        return ()
    return (
        f"the file has the storage of DuckDB {stored}, which older versions cannot open; `storage: {storage}` is for new files",
    )


def _parse_version(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _find_lock_owner(message: str) -> str:
    """Return which process has the file open, according to the message of DuckDB."""
    match = re.search(r"PID (\d+)", message)
    return f"held by process {match[1]}" if match else message.splitlines()[0]


def to_warehouse_error(error: duckdb.Error, path: str, statement: str) -> WarehouseError:
    """Convert an error of DuckDB."""
    text = " ".join(statement.split())
    hint = ""
    if "No space left" in str(error) or "File too large" in str(error):
        hint = "free some disk space, then run again; committed data is safe"
    elif isinstance(error, duckdb.OutOfMemoryException):
        hint = "set more memory (`warehouse: {memory: 8GB}`) or free some disk space"
    elif isinstance(error, duckdb.IOException):
        hint = "check write permission and the disk"
    elif isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        hint = f"the statement was: {text[:300]}"
    return WarehouseError("the warehouse refused a statement", where=path, details=_shorten_message(error), hint=hint)


def _shorten_message(error: Exception) -> str:
    return "\n".join(line for line in str(error).splitlines()[:2] if line.strip())
