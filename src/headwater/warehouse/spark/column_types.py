"""What is known of the columns that a statement names: those of stored tables, and of what was staged in the session."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headwater.dtypes import DUCKDB, render_dtype
from headwater.warehouse.base import Layer, TableColumn
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

Described = Callable[[Layer, str], tuple[TableColumn, ...] | None]
"""Columns of a stored table; None when there is none."""


def known_columns(statement: str, described: Described, staged: Mapping[str, Any], prefix: str) -> Columns:
    """The columns of the relations that portable SQL names; `staged` are rows by name, whose views begin with `prefix`."""
    return (*dict.fromkeys(_stored(statement, described)), *_staged(statement, staged, prefix))


def _stored(statement: str, described: Described) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for layer, name in _STORED.findall(statement):
        columns = described(layer, name)
        if columns:
            yield f"{layer}.{name}", tuple((column.name, render_dtype(column.dtype, DUCKDB)) for column in columns)


def _staged(
    statement: str, staged: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for name in dict.fromkeys(re.findall(rf'"{re.escape(prefix)}(\w+)"', statement)):
        if name in staged:
            types = ((column, _spelled(kind)) for column, kind in staged[name].dtypes)
            yield prefix + name, tuple((column, kind) for column, kind in types if kind)


def _spelled(kind: str) -> str:
    """A Spark type in DuckDB's spelling; empty where nobody asks for it."""
    return _TYPES.get(kind, kind.upper() if _PLAIN.fullmatch(kind) else "VARCHAR[]" if "<" in kind else "")
