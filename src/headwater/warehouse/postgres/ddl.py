"""Statements that create and describe tables in Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from headwater.dtypes import render_dtype
from headwater.errors import WarehouseError
from headwater.names import quote, quote_literal
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Reference, Table, TableColumn

LONGEST = 63
"""The longest name, in bytes. Postgres truncates longer names silently."""

TYPES = {
    "text": 'TEXT COLLATE "C"',
    "boolean": "BOOLEAN",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE PRECISION",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "json": 'TEXT COLLATE "C"',
}
"""The types in Postgres. Text is compared byte by byte, as on every engine, independent of the database's collation."""

_DTYPES = MappingProxyType(
    {
        "text": "text",
        "character varying": "text",
        "boolean": "boolean",
        "integer": "integer",
        "bigint": "bigint",
        "double precision": "double",
        "date": "date",
        "timestamp without time zone": "timestamp",
    }
)


def as_of_function_sql(ref: str, function: str) -> str:
    """The statement that creates the function for queries of a past instant.

    It returns the table's row type, so it follows changes of the columns.
    """
    return (
        f"CREATE OR REPLACE FUNCTION {function}(instant TIMESTAMP) RETURNS SETOF {ref} LANGUAGE sql STABLE PARALLEL SAFE "
        f"AS $asof$ SELECT * FROM {ref} WHERE valid_from <= instant AND valid_to > instant $asof$"
    )


DESCRIBE = """
SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
"""SELECT of the columns of a table or view, by schema and name."""

CATALOG = """
SELECT c.relname::text, c.relkind::text FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY c.relname COLLATE "C"
"""
"""SELECT of the tables and views of a schema, with their kind."""

KEYS = """
SELECT k.conname::text, k.contype::text,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place)
FROM pg_catalog.pg_constraint AS k
WHERE k.conrelid = pg_catalog.to_regclass($1) AND k.contype IN ('p', 'u', 'f')
"""
"""SELECT of the keys of a table: name, kind, columns."""

INCOMING_FOREIGN_KEYS = """
SELECT k.conrelid::regclass::text, k.conname::text FROM pg_catalog.pg_constraint AS k
WHERE k.contype = 'f' AND k.confrelid = pg_catalog.to_regclass($1)
"""
"""SELECT of the foreign keys that refer to a table: their table and name."""

DEPENDENT_VIEWS = """
SELECT DISTINCT n.nspname::text, v.relname::text, pg_catalog.pg_get_viewdef(v.oid)
FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid
JOIN pg_catalog.pg_class AS v ON v.oid = r.ev_class JOIN pg_catalog.pg_namespace AS n ON n.oid = v.relnamespace
WHERE d.refobjid = pg_catalog.to_regclass($1) AND v.relkind = 'v' AND n.nspname = $2
"""
"""SELECT of the views of a schema that read a table, with their definitions."""


_EXCLUDE_GIST = (
    "EXCLUDE USING gist (pg_catalog.hashtextextended(entity_key, 0) WITH =, "
    "pg_catalog.tsrange(valid_from, valid_to) WITH &&, entity_key WITH =)"
)
"""The constraint that no two versions of a key overlap. A gist index compares numbers much faster than texts, so a hash
comes first. The key comes last and is compared only if hash and range match, so that hash collisions do no harm."""


def _edge_sql(instant: str) -> str:
    """SQL of key and instant as one number. The ranges of different keys are far apart."""
    first, second = (f"CAST(pg_catalog.hashtextextended(entity_key, {seed}) AS NUMERIC)" for seed in (0, 1))
    return f"({first} * 1e20 + {second}) * 1e14 + EXTRACT(EPOCH FROM {instant})"


_EXCLUDE_SPGIST = (
    f"EXCLUDE USING spgist (pg_catalog.numrange({_edge_sql('valid_from')}, {_edge_sql('valid_to')}) WITH &&) "
    "WHERE (entity_key IS NOT NULL)"
)
"""The same constraint without btree_gist, at 1.5 times the cost. An spgist index has only one column, so key and instant are
combined into one number, the key by 128 bits of hash."""


def check_names(table: Table) -> None:
    """Nothing when Postgres can hold every name of the table; WarehouseError otherwise."""
    for name in (table.name, *table.names):
        if len(name.encode()) > LONGEST:
            raise WarehouseError(
                f"a name is longer than Postgres allows ({LONGEST} bytes)",
                where=f"{table.layer}.{table.name}",
                details=f"{name} ({len(name.encode())} bytes)",
                hint="choose a shorter name for the entity, dimension, fact or column",
            )


def column_sql(column: TableColumn) -> str:
    """The definition of a column for CREATE TABLE."""
    return f"{quote(column.name)} {render_dtype(column.dtype, TYPES)}{' NOT NULL' if column.required else ''}"


def to_cast_type(column: TableColumn) -> str:
    """Return the type of a column for CAST."""
    return render_dtype(column.dtype, TYPES).partition(" COLLATE ")[0]


def is_history(table: Table) -> bool:
    """Whether the rows of a table are versions of a key, which must not overlap."""
    return {"entity_key", "valid_from", "valid_to"} <= set(table.names)


def create_statements(table: Table, ref: str, *, gist: bool) -> Iterator[str]:
    """Yield the statements that create a table with its indexes and constraints. `gist`: whether btree_gist is installed."""
    columns = [column_sql(column) for column in table.columns]
    if is_history(table):
        columns.append(_EXCLUDE_GIST if gist else _EXCLUDE_SPGIST)
    yield f"CREATE TABLE {ref} ({', '.join(columns)})"
    for columns_of_index in _list_index_columns(table):
        yield f"CREATE INDEX ON {ref} ({column_list_sql(columns_of_index)})"
    if "is_inferred" in table.names:  # inferred members: few or none, and every build reads them
        yield f"CREATE INDEX ON {ref} (entity_key) WHERE is_inferred"


def _list_index_columns(table: Table) -> Iterator[tuple[str, ...]]:
    """Yield the columns of the indexes besides the primary key: key and instant, or for events the hash of their key."""
    if is_history(table):
        yield ("entity_key", "valid_from")
    elif "key_hash" in table.names:
        yield ("key_hash", "sequence")
    elif table.key and table.primary_key[: len(table.key)] != table.key:
        yield table.key


def unique_key_sql(table: Table, ref: str) -> str:
    """The statement that declares the primary or unique key of a table.

    A grain that can be NULL cannot be a primary key. The key of a fact is deferred to the commit of the transaction, so
    that Headwater's own check of the grain reports a violation first.
    """
    required = {column.name for column in table.columns if column.required}
    names = column_list_sql(table.primary_key)
    if table.layer == "gold" and not required.issuperset(table.primary_key):
        return f"ALTER TABLE {ref} ADD UNIQUE NULLS NOT DISTINCT ({names}) DEFERRABLE INITIALLY DEFERRED"
    deferred = " DEFERRABLE INITIALLY DEFERRED" if len(table.primary_key) > 1 and table.layer == "gold" else ""
    return f"ALTER TABLE {ref} ADD PRIMARY KEY ({names}){deferred}"


def foreign_key_sql(reference: Reference, ref: str, target: str) -> str:
    """The statement that declares a foreign key.

    It is not enforced: a dimension commits before the facts that refer to it are updated. In between, a fact can hold the
    key of a version that a late event has removed.
    """
    column, key = quote(reference.column), quote(reference.key)
    return f"ALTER TABLE {ref} ADD FOREIGN KEY ({column}) REFERENCES {target} ({key}) NOT ENFORCED"


def to_dtype(stored: str) -> str:
    """Return the type of `headwater.dtypes` for a type of Postgres, or the type itself if there is none."""
    if stored.startswith("numeric("):
        return "decimal" + stored.removeprefix("numeric")
    return _DTYPES.get(stored, stored)


def list_schemas(tenant: str) -> tuple[tuple[str, str], ...]:
    """Return pairs of layer and schema of a tenant."""
    return tuple((layer, f"{tenant}_{layer}") for layer in ("silver", "gold", "meta"))


def lock_number_sql(tenant: str) -> str:
    """SQL of the number of a tenant's advisory lock."""
    return f"pg_catalog.hashtextextended({quote_literal(f'headwater:{tenant}')}, 0)"
