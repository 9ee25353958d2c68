"""Statements that make and describe tables in Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from headwater.dtypes import render_dtype
from headwater.errors import WarehouseError
from headwater.names import quote, quote_literal
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Reference, Table, TableColumn

LONGEST = 63
"""Postgres cuts longer names off without a word."""

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
"""Postgres's spelling. Text is compared byte by byte, as everywhere, whatever the database's collation."""

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
    """The statement that makes the function by which SQL asks a table for a past day; the table's own row type follows it."""
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
"""Columns of a table or view, by schema and name."""

CATALOGUE = """
SELECT c.relname::text, c.relkind::text FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY c.relname COLLATE "C"
"""
"""Tables and views of a schema, with their kind."""

KEYS = """
SELECT k.conname::text, k.contype::text,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place)
FROM pg_catalog.pg_constraint AS k
WHERE k.conrelid = pg_catalog.to_regclass($1) AND k.contype IN ('p', 'u', 'f')
"""
"""Keys of a table: name, kind, columns."""

POINTING = """
SELECT k.conrelid::regclass::text, k.conname::text FROM pg_catalog.pg_constraint AS k
WHERE k.contype = 'f' AND k.confrelid = pg_catalog.to_regclass($1)
"""
"""Foreign keys that point at a table: whose, and their names."""

LOOKING = """
SELECT DISTINCT n.nspname::text, v.relname::text, pg_catalog.pg_get_viewdef(v.oid)
FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid
JOIN pg_catalog.pg_class AS v ON v.oid = r.ev_class JOIN pg_catalog.pg_namespace AS n ON n.oid = v.relnamespace
WHERE d.refobjid = pg_catalog.to_regclass($1) AND v.relkind = 'v' AND n.nspname = $2
"""
"""Views of a schema that look at a table, with what they select."""


_BY_GIST = (
    "EXCLUDE USING gist (pg_catalog.hashtextextended(entity_key, 0) WITH =, "
    "pg_catalog.tsrange(valid_from, valid_to) WITH &&, entity_key WITH =)"
)
"""No two spans of a thing overlap. An index of this kind compares numbers at a fraction of what texts cost it, so it
looks by a hash; the key comes last and is compared where hash and span meet, so that a hash two things share is no matter."""


def _edge_sql(instant: str) -> str:
    """SQL of an instant in the life of a thing as one number: lives of different things are far apart."""
    first, second = (f"CAST(pg_catalog.hashtextextended(entity_key, {seed}) AS NUMERIC)" for seed in (0, 1))
    return f"({first} * 1e20 + {second}) * 1e14 + EXTRACT(EPOCH FROM {instant})"


_BY_ITSELF = (
    f"EXCLUDE USING spgist (pg_catalog.numrange({_edge_sql('valid_from')}, {_edge_sql('valid_to')}) WITH &&) "
    "WHERE (entity_key IS NOT NULL)"
)
"""The same without btree_gist, for half as much again. Such an index has one column only, so thing and instant are made one
number there, the thing by 128 bits of hash."""


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
    """A column as it stands in CREATE TABLE."""
    return f"{quote(column.name)} {render_dtype(column.dtype, TYPES)}{' NOT NULL' if column.required else ''}"


def cast_type(column: TableColumn) -> str:
    """The type of a column as it stands in a CAST."""
    return render_dtype(column.dtype, TYPES).partition(" COLLATE ")[0]


def is_history(table: Table) -> bool:
    """Whether the rows of a table are spans in the life of a thing, which must not overlap."""
    return {"entity_key", "valid_from", "valid_to"} <= set(table.names)


def create_statements(table: Table, ref: str, *, gist: bool) -> Iterator[str]:
    """Statements that make a table with its indexes; one of spans lets none overlap. `gist`: whether there is btree_gist."""
    columns = [column_sql(column) for column in table.columns]
    if is_history(table):
        columns.append(_BY_GIST if gist else _BY_ITSELF)
    yield f"CREATE TABLE {ref} ({', '.join(columns)})"
    for indexed in _index_columns(table):
        yield f"CREATE INDEX ON {ref} ({column_list_sql(indexed)})"
    if "is_inferred" in table.names:  # members met before their entity: few or none, and asked for by every build
        yield f"CREATE INDEX ON {ref} (entity_key) WHERE is_inferred"


def _index_columns(table: Table) -> Iterator[tuple[str, ...]]:
    """What rows are looked up by beside their primary key: a thing at an instant, events by the hash of their key."""
    if is_history(table):
        yield ("entity_key", "valid_from")
    elif "key_hash" in table.names:
        yield ("key_hash", "sequence")
    elif table.key and table.primary_key[: len(table.key)] != table.key:
        yield table.key


def unique_key_sql(table: Table, ref: str) -> str:
    """The statement that declares what tells the rows of a table apart.

    A grain that may be NULL cannot be a primary key. That of a fact is looked at when its transaction commits, so that
    a grain which does not hold is complained about in its own words first.
    """
    required = {column.name for column in table.columns if column.required}
    names = column_list_sql(table.primary_key)
    if table.layer == "gold" and not required.issuperset(table.primary_key):
        return f"ALTER TABLE {ref} ADD UNIQUE NULLS NOT DISTINCT ({names}) DEFERRABLE INITIALLY DEFERRED"
    late = " DEFERRABLE INITIALLY DEFERRED" if len(table.primary_key) > 1 and table.layer == "gold" else ""
    return f"ALTER TABLE {ref} ADD PRIMARY KEY ({names}){late}"


def foreign_key_sql(reference: Reference, ref: str, target: str) -> str:
    """The statement that declares what a column points at.

    It is not enforced: a dimension commits before the facts that point at it are pointed anew, and in between a fact
    may hold the key of a version that late news took away.
    """
    column, key = quote(reference.column), quote(reference.key)
    return f"ALTER TABLE {ref} ADD FOREIGN KEY ({column}) REFERENCES {target} ({key}) NOT ENFORCED"


def dtype_of(stored: str) -> str:
    """One of `headwater.dtypes` for a type as Postgres spells it; the spelling itself where there is none."""
    if stored.startswith("numeric("):
        return "decimal" + stored.removeprefix("numeric")
    return _DTYPES.get(stored, stored)


def schema_names(tenant: str) -> tuple[tuple[str, str], ...]:
    """The schemas of a tenant, by layer."""
    return tuple((layer, f"{tenant}_{layer}") for layer in ("silver", "gold", "meta"))


def lock_number_sql(tenant: str) -> str:
    """SQL of the number of a tenant's advisory lock."""
    return f"pg_catalog.hashtextextended({quote_literal(f'headwater:{tenant}')}, 0)"
