"""A connection to a DuckDB file, and what it says when it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb

from headwater.errors import WarehouseError


def opened(path: str, config: dict[str, Any], *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection to a file (or `:memory:`); WarehouseError when there is none to be had."""
    try:
        if path != ":memory:" and not read_only:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(path, read_only=read_only, config=config)
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise WarehouseError(
                "the warehouse is in use by another process",
                where=path,
                saw=_holder(str(error)),
                hint="wait until it is done, or close the program that has the file open (a notebook, a DuckDB shell)",
            ) from error
        hint = "`headwater run` makes it" if read_only else "is the path a DuckDB file that this user may write?"
        raise WarehouseError("the warehouse cannot be opened", where=path, saw=_first_line(error), hint=hint) from error
    except OSError as error:
        hint = "check the path of the warehouse and the rights on its folder"
        raise WarehouseError("the warehouse cannot be opened", where=path, saw=str(error), hint=hint) from error


def _holder(message: str) -> str:
    """Who holds the file, as far as DuckDB says."""
    found = re.search(r"PID (\d+)", message)
    return f"held by process {found[1]}" if found else message.splitlines()[0]


def explained(error: duckdb.Error, path: str, statement: str) -> WarehouseError:
    """What DuckDB said, in four slots."""
    shown = " ".join(statement.split())
    hint = ""
    if "No space left" in str(error) or "File too large" in str(error):
        hint = "free some space and run again; what was committed is kept"
    elif isinstance(error, duckdb.OutOfMemoryException):
        hint = "give it more memory (`warehouse: {memory: 8GB}`) or room on disk"
    elif isinstance(error, duckdb.IOException):
        hint = "may this user write there, and is the disk in order?"
    elif isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        hint = f"the statement was: {shown[:300]}"
    return WarehouseError("the warehouse refused a statement", where=path, saw=_first_line(error), hint=hint)


def _first_line(error: Exception) -> str:
    return "\n".join(line for line in str(error).splitlines()[:2] if line.strip())
