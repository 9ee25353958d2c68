"""What is known of the columns that a statement names: those of stored tables, and of what was staged in the session."""

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
"""Columns of a stored table; None when there is none."""


def find_columns(statement: str, described: DescribeTable, staged: Mapping[str, Any], prefix: str) -> Columns:
    """The columns of the relations that portable SQL names; `staged` are rows by name, whose views begin with `prefix`."""
    return (*dict.fromkeys(_stored_columns(statement, described)), *_staged_columns(statement, staged, prefix))


def _stored_columns(statement: str, described: DescribeTable) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for layer, name in _STORED.findall(statement):
        columns = described(layer, name)
        if columns:
            yield f"{layer}.{name}", tuple((column.name, render_dtype(column.dtype, DUCKDB)) for column in columns)


def _staged_columns(
    statement: str, staged: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for name in dict.fromkeys(re.findall(rf'"{re.escape(prefix)}(\w+)"', statement)):
        if name in staged:
            types = ((column, _duckdb_type(kind)) for column, kind in staged[name].dtypes)
            yield prefix + name, tuple((column, kind) for column, kind in types if kind)


def _duckdb_type(kind: str) -> str:
    """A Spark type in DuckDB's spelling; empty where nobody asks for it."""
    return _TYPES.get(kind, kind.upper() if _PLAIN.fullmatch(kind) else "VARCHAR[]" if "<" in kind else "")
