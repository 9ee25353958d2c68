"""Infers the types of portable SQL with an empty DuckDB, so that every engine gives a gold column the same type."""

from __future__ import annotations

from collections.abc import Callable

import sqlglot
from sqlglot import exp

from headwater.dtypes import PORTABLE_SQL
from headwater.errors import WarehouseError
from headwater.warehouse.base import LAYERS, SchemaName, Table, TableColumn
from headwater.warehouse.duckdb.engine import DuckDB

Describe = Callable[[SchemaName, str], tuple[TableColumn, ...] | None]
"""Returns the columns of a stored table, or None if it does not exist."""


class ShadowSchema:
    """Empty copies of the tables of a warehouse, created when a SELECT first reads them."""

    def __init__(self, tenant: str, describe: Describe) -> None:
        self._describe = describe
        self._empty = DuckDB(tenant, ":memory:", threads=1)

    def close(self) -> None:
        """Close the DuckDB."""
        self._empty.close()

    def schema_of(self, select: str) -> dict[str, str]:
        """Return the columns of a SELECT over stored tables, with their types in DuckDB's syntax."""
        for table in sqlglot.parse_one(select, read=PORTABLE_SQL).find_all(exp.Table):
            if table.db in LAYERS:
                self._reflect(table.db, table.name)
        return self._empty.schema_of(select)

    def _reflect(self, layer: SchemaName, name: str) -> None:
        columns = self._describe(layer, name)
        if columns is None:
            raise WarehouseError(
                "a table is missing", where=f"{layer}.{name}", hint="`headwater rebuild` creates it again"
            )
        if columns != self._empty.describe(layer, name):
            self._empty.drop(layer, name)
            self._empty.ensure(Table(layer=layer, name=name, columns=columns))
