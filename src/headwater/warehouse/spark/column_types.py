"""Finds the types of the columns of the relations in a statement: stored tables, and rows staged in the session."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headwater.dtypes import DUCKDB, render_dtype
from headwater.warehouse.base import SchemaName, TableColumn
from headwater.warehouse.dialect.annotate import Columns

_STORED = re.compile(r'"?\b(silver|gold|meta)"?\."?(\w+)"?')
_TYPES = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "timestamp_ntz": "TIMESTAMP",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "void": '"NULL"',
}
_PLAIN = re.compile(r"(bigint|smallint|tinyint|double|float|date|boolean|decimal\(\d+,\d+\))")

DescribeTable = Callable[[SchemaName, str], tuple[TableColumn, ...] | None]
"""Returns the columns of a stored table, or None if it does not exist."""


def find_columns(statement: str, describe: DescribeTable, staged: Mapping[str, Any], prefix: str) -> Columns:
    """Return the columns of the relations in portable SQL. `staged`: name -> rows; their views begin with `prefix`."""
    return (*dict.fromkeys(_find_stored_columns(statement, describe)), *_find_staged_columns(statement, staged, prefix))


def _find_stored_columns(statement: str, describe: DescribeTable) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for layer, name in _STORED.findall(statement):
        columns = describe(layer, name)
        if columns:
            yield f"{layer}.{name}", tuple((column.name, render_dtype(column.dtype, DUCKDB)) for column in columns)


def _find_staged_columns(
    statement: str, staged: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for name in dict.fromkeys(re.findall(rf'"{re.escape(prefix)}(\w+)"', statement)):
        if name in staged:
            types = ((column, _to_duckdb_type(kind)) for column, kind in staged[name].dtypes)
            yield prefix + name, tuple((column, kind) for column, kind in types if kind)


def _to_duckdb_type(kind: str) -> str:
    """Return a Spark type in DuckDB's syntax; empty if no rendering depends on it."""
    return _TYPES.get(kind, kind.upper() if _PLAIN.fullmatch(kind) else "VARCHAR[]" if "<" in kind else "")
