"""Statements that make and describe tables in Redshift."""

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
"""The table of a tenant's meta schema that its writers lock, one after the other. It holds nothing."""

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
"""Redshift's spelling. A text may have 65,535 bytes; a longer one is an error, see `redshift_stage`."""

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
"""Columns of a table, by schema and name."""

CATALOGUE = """
SELECT CAST(c.relname AS VARCHAR(128)), CAST(c.relkind AS VARCHAR(1)) FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'v') ORDER BY 1
"""
"""Tables and views of a schema, with their kind."""

KEYS = """
SELECT CAST(k.conname AS VARCHAR(128)), CAST(k.contype AS VARCHAR(1)), pg_catalog.pg_get_constraintdef(k.oid)
FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND k.contype IN ('p', 'f') ORDER BY 1
"""
"""Keys of a table: name, kind, and how it would be declared."""

POINTING = """
SELECT CAST(n.nspname AS VARCHAR(128)), CAST(c.relname AS VARCHAR(128)), CAST(k.conname AS VARCHAR(128))
FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS t ON t.oid = k.confrelid
JOIN pg_catalog.pg_namespace AS s ON s.oid = t.relnamespace
WHERE k.contype = 'f' AND s.nspname = $1 AND t.relname = $2 ORDER BY 1, 2, 3
"""
"""Foreign keys that point at a table: whose, and their names."""


def check_names(table: Table) -> None:
    """Nothing when Redshift can hold the names as they are; WarehouseError otherwise."""
    for name in (table.name, *table.names):
        if len(name.encode()) > LONGEST:
            raise WarehouseError(
                f"`{name}` is longer than Redshift allows",
                where=f"{table.layer}.{table.name}",
                details=f"{len(name.encode())} bytes, at most {LONGEST}",
                hint="give it a shorter name",
            )


def column_sql(column: TableColumn, *, required: bool) -> str:
    """A column as it stands in CREATE TABLE."""
    return f"{quote(column.name)} {render_dtype(column.dtype, TYPES)}{' NOT NULL' if required else ''}"


def create_sql(table: Table, ref: str, references: Iterable[str] = ()) -> str:
    """The statement that makes a table: where its rows lie, in which order, and what is known of its keys.

    Nothing is enforced by a key here; the planner believes them. So they are declared only where the merge sees to them.
    """
    key = primary_key_columns(table)
    parts = [column_sql(column, required=column.required or column.name in key) for column in table.columns]
    if key:
        parts.append(f"PRIMARY KEY ({column_list_sql(key)})")
    order = column_list_sql(_sort_columns(table))
    return (
        f"CREATE TABLE {ref} ({', '.join([*parts, *references])}) {_distribution_sql(table)} COMPOUND SORTKEY ({order})"
    )


def primary_key_columns(table: Table) -> tuple[str, ...]:
    """What is declared to tell rows apart: nothing for a table of gold where a part of it may be NULL."""
    required = {column.name for column in table.columns if column.required}
    sure = table.layer != "gold" or required.issuperset(table.primary_key)
    return table.primary_key if sure else ()


def foreign_key_sql(reference: Reference, target: str) -> str:
    """What a column points at, as it stands in CREATE TABLE or behind ADD."""
    return f"FOREIGN KEY ({quote(reference.column)}) REFERENCES {target} ({quote(reference.key)})"


def _distribution_sql(table: Table) -> str:
    """Which slice a row lies on: with the other rows of its thing; small tables without things are everywhere."""
    if table.layer == "meta":
        return "DISTSTYLE AUTO"
    return f"DISTSTYLE KEY DISTKEY ({quote('entity_key')})" if "entity_key" in table.names else "DISTSTYLE ALL"


def _sort_columns(table: Table) -> tuple[str, ...]:
    """What rows are sorted by, so that blocks can be skipped: the change log in time, versions by thing and time.

    A fact is sorted by its commonest lookup: the first of those at the table that most of its columns point at.
    """
    if {"entity_key", "valid_from"} <= set(table.names):
        return ("entity_key", "valid_from")
    if "sequence" in table.names:
        return ("sequence",)
    if table.references:
        commonest = Counter(reference.table for reference in table.references).most_common(1)[0][0]
        return (next(reference.column for reference in table.references if reference.table == commonest),)
    return table.key or table.names[:1]


def dtype_of(stored: str) -> str:
    """One of `headwater.dtypes` for a type as Redshift spells it; the spelling itself where there is none."""
    if stored.startswith("numeric("):
        return "decimal" + stored.removeprefix("numeric")
    return "text" if stored.startswith("character varying") else _DTYPES.get(stored, stored)


def parse_key_columns(declared: str) -> tuple[str, ...]:
    """The columns of a key, by how it would be declared."""
    found = re.search(r"\(([^)]*)\)", declared)
    return tuple(name.strip().strip('"') for name in found[1].split(",")) if found else ()


def parse_reference(declared: str) -> Reference:
    """What a foreign key of one column says, by how it would be declared."""
    (column,), rest = parse_key_columns(declared), declared.partition("REFERENCES ")[2]
    table = rest.partition("(")[0].strip().rpartition(".")[2].strip('"')
    return Reference(column=column, table=table, key=parse_key_columns(rest)[0])


def type_sql(column: TableColumn) -> str:
    """The type of a column."""
    return render_dtype(column.dtype, TYPES)


_SHOWN = MappingProxyType(
    {16: "boolean", 20: "bigint", 21: "integer", 23: "integer", 701: "double", 1082: "date", 1114: "timestamp"}
)
"""Types by the numbers that an answer has for them."""


def result_dtype(column: Any) -> str:
    """One of `headwater.dtypes` for a column of an answer."""
    if column.type_code == _NUMERIC:
        return f"decimal({column.precision},{column.scale})"
    return _SHOWN.get(column.type_code, "text")


_NUMERIC = 1700
