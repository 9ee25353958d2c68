"""The columns that gold's tables have, and of which type: what nobody declares, the engine says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from headwater.dtypes import DUCKDB, can_widen, render_dtype
from headwater.errors import DeclarationError
from headwater.names import quote
from headwater.warehouse.base import Table, TableColumn, Warehouse

LOAD = (
    TableColumn(name="loaded_at", dtype="timestamp"),
    TableColumn(name="batch_id", dtype="text"),
    TableColumn(name="source", dtype="text"),
)
"""Load metadata, at the end of every row: when what the row is made of was read, in which batch, from which resource."""

SPAN = (
    TableColumn(name="valid_from", dtype="timestamp", required=True),
    TableColumn(name="valid_to", dtype="timestamp", required=True),
    TableColumn(name="is_current", dtype="boolean", required=True),
    TableColumn(name="is_inferred", dtype="boolean", required=True),
)
"""When a member of a dimension is valid, and whether only facts have told of it."""

BEGINNING = "TIMESTAMP '1970-01-01 00:00:00'"
"""From when on reserved and inferred members are valid."""

_DTYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "UTINYINT": "integer",
    "USMALLINT": "integer",
    "BIGINT": "bigint",
    "UINTEGER": "bigint",
    "HUGEINT": "decimal(38,0)",
    "UHUGEINT": "decimal(38,0)",
    "FLOAT": "double",
    "DOUBLE": "double",
    "VARCHAR": "text",
    "JSON": "text",
    "UUID": "text",
    '"NULL"': "text",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
}
"""DuckDB's types as those of a column in gold."""


def infer_types(warehouse: Warehouse, select: str, *, where: str) -> dict[str, str]:
    """The columns of a SELECT and their types, as they are inferred."""
    return {name: _to_dtype(name, kind, where) for name, kind in warehouse.schema_of(select).items()}


def find_stored_types(stored: Sequence[TableColumn] | None, names: Iterable[str]) -> dict[str, str] | None:
    """The types of stored columns; None if not all of these names are among them."""
    types = {column.name: column.dtype for column in stored or ()}
    return types if types.keys() >= set(names) else None


def _to_dtype(name: str, kind: str, where: str) -> str:
    if kind.startswith("DECIMAL("):
        return kind.lower().replace(" ", "")
    if kind in _DTYPES:
        return _DTYPES[kind]
    raise DeclarationError(
        f"`{name}` has a type that gold tables do not support.", where=where, details=kind, hint="cast it, e.g. to text"
    )


def fit_table(warehouse: Warehouse, table: Table, *, rebuild: bool = False) -> None:
    """Make the stored table have the columns of `table`: those that are declared no more go.

    With `rebuild`, so do those whose type is another one, since all values are about to come anew.
    """
    stored = warehouse.describe(table.layer, table.name) or ()
    types = {column.name: column.dtype for column in table.columns}
    if gone := [
        column.name
        for column in stored
        if column.name not in types or (rebuild and not can_widen(column.dtype, types[column.name]))
    ]:
        warehouse.drop_columns(table.layer, table.name, gone)
    warehouse.ensure(table)


def is_empty(warehouse: Warehouse, table: Table) -> bool:
    """Whether the stored table has no row."""
    return not warehouse.rows(f"SELECT 1 FROM {warehouse.ref(table.layer, table.name)} LIMIT 1")


def null_sql(dtype: str) -> str:
    """SQL of a NULL of a type."""
    return f"CAST(NULL AS {render_dtype(dtype, DUCKDB)})"


def select_list(table: Table, values: dict[str, str]) -> str:
    """The select list of a table's columns, each from its SQL in `values`; a column not there is NULL."""
    return ", ".join(
        f"{values.get(column.name) or null_sql(column.dtype)} AS {quote(column.name)}" for column in table.columns
    )


def check_columns(columns: Sequence[TableColumn], *, where: str) -> None:
    """Nothing when each column has a name of its own; DeclarationError otherwise."""
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise DeclarationError(
                f"Two columns have the name `{column.name}`.",
                where=where,
                details=column.name,
                hint="rename one of them",
            )
        seen.add(column.name)
