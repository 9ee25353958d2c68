"""Statements that create and describe tables in Redshift."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

from headwater.dtypes import render_dtype
from headwater.errors import WarehouseError
from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Reference, Table, TableColumn

LONGEST = 127
"""The longest name, in bytes."""

WRITER = "writer"
"""The empty table of a tenant's meta schema that its writers lock."""

TYPES = {
    "text": "VARCHAR(65535)",
    "boolean": "BOOLEAN",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE PRECISION",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "json": "VARCHAR(65535)",
}
"""The types in Redshift. A text can have 65,535 bytes; a longer one is an error, see `copy.LONGEST_TEXT`."""

_DTYPES = MappingProxyType(
    {
        "boolean": "boolean",
        "integer": "integer",
        "bigint": "bigint",
        "double precision": "double",
        "date": "date",
        "timestamp without time zone": "timestamp",
        "text": "text",
    }
)

DESCRIBE = """
SELECT CAST(a.attname AS VARCHAR(128)), pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
"""SELECT of the columns of a table, by schema and name."""

CATALOG = """
SELECT CAST(c.relname AS VARCHAR(128)), CAST(c.relkind AS VARCHAR(1)) FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'v') ORDER BY 1
"""
"""SELECT of the tables and views of a schema, with their kind."""

KEYS = """
SELECT CAST(k.conname AS VARCHAR(128)), CAST(k.contype AS VARCHAR(1)), pg_catalog.pg_get_constraintdef(k.oid)
FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND k.contype IN ('p', 'f') ORDER BY 1
"""
"""SELECT of the keys of a table: name, kind, and definition."""

INCOMING_FOREIGN_KEYS = """
SELECT CAST(n.nspname AS VARCHAR(128)), CAST(c.relname AS VARCHAR(128)), CAST(k.conname AS VARCHAR(128))
FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS t ON t.oid = k.confrelid
JOIN pg_catalog.pg_namespace AS s ON s.oid = t.relnamespace
WHERE k.contype = 'f' AND s.nspname = $1 AND t.relname = $2 ORDER BY 1, 2, 3
"""
"""SELECT of the foreign keys that refer to a table: their table and name."""


def check_names(table: Table) -> None:
    """Raise WarehouseError if a name of the table is too long for Redshift."""
    for name in (table.name, *table.names):
        if len(name.encode()) > LONGEST:
            raise WarehouseError(
                f"`{name}` is longer than Redshift allows",
                where=f"{table.layer}.{table.name}",
                details=f"{len(name.encode())} bytes, at most {LONGEST}",
                hint="give it a shorter name",
            )


def column_sql(column: TableColumn, *, required: bool) -> str:
    """The definition of a column for CREATE TABLE."""
    return f"{quote(column.name)} {render_dtype(column.dtype, TYPES)}{' NOT NULL' if required else ''}"


def create_sql(table: Table, ref: str, references: Iterable[str] = ()) -> str:
    """The statement that creates a table with distribution, sort order and keys.

    Redshift does not enforce keys, but its planner relies on them. So only keys that the merge guarantees are declared.
    """
    key = find_primary_key(table)
    parts = [column_sql(column, required=column.required or column.name in key) for column in table.columns]
    if key:
        parts.append(f"PRIMARY KEY ({column_list_sql(key)})")
    order = column_list_sql(_find_sort_columns(table))
    return (
        f"CREATE TABLE {ref} ({', '.join([*parts, *references])}) {_distribution_sql(table)} COMPOUND SORTKEY ({order})"
    )


def find_primary_key(table: Table) -> tuple[str, ...]:
    """Return the columns of the primary key; none for a gold table whose key can contain NULL."""
    required = {column.name for column in table.columns if column.required}
    has_key = table.layer != "gold" or required.issuperset(table.primary_key)
    return table.primary_key if has_key else ()


def foreign_key_sql(reference: Reference, target: str) -> str:
    """The foreign key of a column for CREATE TABLE or ADD."""
    return f"FOREIGN KEY ({quote(reference.column)}) REFERENCES {target} ({quote(reference.key)})"


def _distribution_sql(table: Table) -> str:
    """The distribution of rows: by entity key; small tables without an entity key are copied to every node."""
    if table.layer == "meta":
        return "DISTSTYLE AUTO"
    return f"DISTSTYLE KEY DISTKEY ({quote('entity_key')})" if "entity_key" in table.names else "DISTSTYLE ALL"


def _find_sort_columns(table: Table) -> tuple[str, ...]:
    """Return the sort columns, by which blocks can be skipped: time for the change log, key and time for versions.

    A fact is sorted by its most frequent lookup: the first one to the table that most of its columns refer to.
    """
    if {"entity_key", "valid_from"} <= set(table.names):
        return ("entity_key", "valid_from")
    if "sequence" in table.names:
        return ("sequence",)
    if table.references:
        commonest = Counter(reference.table for reference in table.references).most_common(1)[0][0]
        return (next(reference.column for reference in table.references if reference.table == commonest),)
    return table.key or table.names[:1]


def to_dtype(stored: str) -> str:
    """Return the type of `headwater.dtypes` for a type of Redshift, or the type itself if there is none."""
    if stored.startswith("numeric("):
        return "decimal" + stored.removeprefix("numeric")
    return "text" if stored.startswith("character varying") else _DTYPES.get(stored, stored)


def parse_key_columns(declared: str) -> tuple[str, ...]:
    """Return the columns of a key from its definition."""
    match = re.search(r"\(([^)]*)\)", declared)
    return tuple(name.strip().strip('"') for name in match[1].split(",")) if match else ()


def parse_reference(declared: str) -> Reference:
    """Return the reference of a foreign key of one column from its definition."""
    (column,), rest = parse_key_columns(declared), declared.partition("REFERENCES ")[2]
    table = rest.partition("(")[0].strip().rpartition(".")[2].strip('"')
    return Reference(column=column, table=table, key=parse_key_columns(rest)[0])


def type_sql(column: TableColumn) -> str:
    """The type of a column in Redshift."""
    return render_dtype(column.dtype, TYPES)


_DTYPES_BY_OID = MappingProxyType(
    {16: "boolean", 20: "bigint", 21: "integer", 23: "integer", 701: "double", 1082: "date", 1114: "timestamp"}
)
"""OID of a type in a result -> type of `headwater.dtypes`."""


def to_result_dtype(column: Any) -> str:
    """Return the type of `headwater.dtypes` for a column of a result."""
    if column.type_code == _NUMERIC_OID:
        return f"decimal({column.precision},{column.scale})"
    return _DTYPES_BY_OID.get(column.type_code, "text")


_NUMERIC_OID = 1700
