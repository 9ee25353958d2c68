"""A connection to a DuckDB file, and what it says when it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb

from headwater.errors import WarehouseError
from headwater.names import quote_literal

STORAGE = "v1.2.0"
"""The storage of a new file unless declared: DuckDB 1.2 to 1.5 open it too, for 4 to 8 % more CPU in a merge and no more room."""


def connect(path: str, config: dict[str, Any], *, storage: str = STORAGE, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection to a file (or `:memory:`); WarehouseError when there is none to be had.

    A file that is there keeps the storage that it was made with.
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
                details=_find_holder(str(error)),
                hint="wait until it finishes, or close the program that has the file open (a notebook, a DuckDB shell)",
            ) from error
        hint = (
            "`headwater run` creates it"
            if read_only
            else "check that the path is a DuckDB file that this user can write"
        )
        raise WarehouseError(
            "the warehouse cannot be opened", where=path, details=_first_line(error), hint=hint
        ) from error
    except OSError as error:
        hint = "check the path of the warehouse and the permissions of its folder"
        raise WarehouseError("the warehouse cannot be opened", where=path, details=str(error), hint=hint) from error


def _create_file(path: str, storage: str) -> None:
    """Make a file. As a setting of the connection, its storage would keep a notebook of this process from opening it, too."""
    with duckdb.connect() as maker:
        version = "" if storage == "latest" else f" (STORAGE_VERSION {quote_literal(storage)})"
        maker.execute(f"ATTACH {quote_literal(path)} AS made{version}")
        maker.execute("DETACH made")


def warn_newer_storage(connection: duckdb.DuckDBPyConnection, path: str, storage: str) -> tuple[str, ...]:
    """What to say of a file that only a newer DuckDB opens than was declared; nothing of any other."""
    if path == ":memory:" or storage == "latest":
        return ()
    asked = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = current_database()"
    found = connection.execute(asked).fetchone()
    kept = str(found[0]) if found and found[0] else ""
    if _version_number(kept) <= _version_number(storage):
        return ()
    return (
        f"the file has the storage of DuckDB {kept}, which older versions cannot open; `storage: {storage}` is for new files",
    )


def _version_number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _find_holder(message: str) -> str:
    """Who holds the file, as far as DuckDB says."""
    found = re.search(r"PID (\d+)", message)
    return f"held by process {found[1]}" if found else message.splitlines()[0]


def to_warehouse_error(error: duckdb.Error, path: str, statement: str) -> WarehouseError:
    """What DuckDB said, in four parts."""
    shown = " ".join(statement.split())
    hint = ""
    if "No space left" in str(error) or "File too large" in str(error):
        hint = "free some disk space, then run again; committed data is safe"
    elif isinstance(error, duckdb.OutOfMemoryException):
        hint = "set more memory (`warehouse: {memory: 8GB}`) or free some disk space"
    elif isinstance(error, duckdb.IOException):
        hint = "check write permission and the disk"
    elif isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        hint = f"the statement was: {shown[:300]}"
    return WarehouseError("the warehouse refused a statement", where=path, details=_first_line(error), hint=hint)


def _first_line(error: Exception) -> str:
    return "\n".join(line for line in str(error).splitlines()[:2] if line.strip())
