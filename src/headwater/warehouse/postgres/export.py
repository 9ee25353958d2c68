"""Exports tables of Postgres: a digest that shows changes, and the rows in groups."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import Connection, Error

from headwater.names import quote
from headwater.warehouse.base import TableColumn
from headwater.warehouse.postgres.connection import to_warehouse_error

_ROWS = 20_000
"""Rows in memory at a time."""

Rows = list[tuple[Any, ...]]


def select_digest(ref: str) -> str:
    """SELECT of values that change when rows do, independent of their order."""
    return f"SELECT COUNT(*), SUM(pg_catalog.hashtextextended(CAST(t AS text), 0)) FROM {ref} AS t"


def format_digest(columns: Sequence[TableColumn], totals: tuple[Any, ...]) -> str:
    """Return the digest of columns and of the result of `select_digest`."""
    text = ", ".join(f"{column.name} {column.dtype}" for column in columns)
    return hashlib.sha256(f"{text}|{totals[0]}|{totals[1]}".encode()).hexdigest()


def read_row_groups(
    connection: Connection[Any], ref: str, columns: Sequence[TableColumn], *, where: str
) -> Iterator[Rows]:
    """Yield the rows of a table in groups, by a server-side cursor. Call it within a transaction."""
    select = f"SELECT {', '.join(quote(column.name) for column in columns)} FROM {ref}"
    try:
        with connection.cursor(name="headwater_export") as cursor:
            cursor.execute(select.encode())
            while rows := cursor.fetchmany(_ROWS):
                yield rows
    except Error as error:
        raise to_warehouse_error(error, where, select) from error
