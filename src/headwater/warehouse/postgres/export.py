"""Tables of Postgres on their way out: whether one has changed, and its rows a few at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import Connection, Error

from headwater.names import quote
from headwater.warehouse.base import TableColumn
from headwater.warehouse.postgres.connection import to_warehouse_error

_ROWS = 20_000
"""Rows that are held at once."""

Rows = list[tuple[Any, ...]]


def select_digest(ref: str) -> str:
    """The SELECT of what changes when rows do, whatever their order."""
    return f"SELECT COUNT(*), SUM(pg_catalog.hashtextextended(CAST(t AS text), 0)) FROM {ref} AS t"


def format_digest(columns: Sequence[TableColumn], counted: tuple[Any, ...]) -> str:
    """The text for columns, and for what was counted of their rows."""
    told = ", ".join(f"{column.name} {column.dtype}" for column in columns)
    return hashlib.sha256(f"{told}|{counted[0]}|{counted[1]}".encode()).hexdigest()


def read_row_groups(
    connection: Connection[Any], ref: str, columns: Sequence[TableColumn], *, where: str
) -> Iterator[Rows]:
    """The rows of a table as they come, by a cursor of the server; within a transaction."""
    select = f"SELECT {', '.join(quote(column.name) for column in columns)} FROM {ref}"
    try:
        with connection.cursor(name="headwater_export") as cursor:
            cursor.execute(select.encode())
            while found := cursor.fetchmany(_ROWS):
                yield found
    except Error as error:
        raise to_warehouse_error(error, where, select) from error
