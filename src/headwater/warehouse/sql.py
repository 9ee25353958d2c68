"""Facts of SQL: how names, rows and types are written, and how portable SQL becomes another engine's.

Everything above this room writes SQL once, in DuckDB's spelling and within `ALLOWED`. DuckDB takes it as it is, without
parsing; for every other dialect sqlglot (pinned) renders it, after the few functions that sqlglot does not know were
exchanged for that dialect's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from headwater.dtypes import DUCKDB, spelled
from headwater.errors import WarehouseError
from headwater.names import literal, quote
from headwater.warehouse.base import Layer, Table, Warehouse

OWN = "duckdb"
"""The dialect in which portable SQL is spelled."""

_MICROS = {
    "postgres": "CAST(EXTRACT(EPOCH FROM {0}) * 1000000 AS BIGINT)",
    "redshift": "CAST(EXTRACT(EPOCH FROM {0}) AS BIGINT) * 1000000 + EXTRACT(US FROM {0})",
    "spark": "UNIX_MICROS({0})",
}
_INSTANT = {
    "postgres": "TIMESTAMP '1970-01-01 00:00:00' + {0} * INTERVAL '1 microsecond'",
    "redshift": "DATEADD(us, {0}, TIMESTAMP '1970-01-01 00:00:00')",
    "spark": "TIMESTAMP_MICROS({0})",
}
_HEX = {
    "postgres": "CAST(CAST('x' || {0} AS BIT(60)) AS BIGINT)",
    "redshift": "STRTOL({0}, 16)",
    "spark": "CAST(CONV({0}, 16, 10) AS BIGINT)",
}


def listed(columns: Iterable[str], relation: str = "") -> str:
    """Column names, quoted and parted by commas, of `relation` if it is named."""
    prefix = f"{relation}." if relation else ""
    return ", ".join(prefix + quote(column) for column in columns)


def same_row(columns: Iterable[str], left: str, right: str) -> str:
    """Whether two rows agree in all `columns`, where NULL equals NULL."""
    return " AND ".join(f"{left}.{quote(name)} IS NOT DISTINCT FROM {right}.{quote(name)}" for name in columns)


def create_table(table: Table, ref: str) -> str:
    """The statement that makes a stored table in DuckDB's spelling."""
    columns = ", ".join(
        f"{quote(column.name)} {spelled(column.dtype, DUCKDB)}{' NOT NULL' if column.required else ''}"
        for column in table.columns
    )
    return f"CREATE TABLE {ref} ({columns})"


def not_among(table: Table, rows: str, others: str) -> str:
    """The condition that no row of `others` equals one of `rows` in all columns of `table`."""
    return f"NOT EXISTS (SELECT 1 FROM {others} AS o WHERE {same_row(table.names, 'o', rows)})"


def values(rows: Iterable[Iterable[str | int | None]]) -> str:
    """Constant rows, as they follow VALUES."""
    return ", ".join("(" + ", ".join(_constant(value) for value in row) + ")" for row in rows)


def _constant(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    return literal(value) if isinstance(value, str) else str(value)


def render(statement: str, dialect: str) -> str:
    """`statement` in `dialect`; as it is for DuckDB."""
    return statement if dialect == OWN else _rendered(statement, dialect)


@lru_cache(maxsize=512)
def _rendered(statement: str, dialect: str) -> str:
    tree = sqlglot.parse_one(statement, read=OWN)
    return tree.transform(_exchange(dialect)).sql(dialect=dialect)


def _exchange(dialect: str) -> Callable[[exp.Expr], exp.Expr]:
    """Exchanges what sqlglot would pass on unchanged or render inexactly."""

    def own(template: str, inner: exp.Expr) -> exp.Expr:
        text = inner.transform(_exchange(dialect)).sql(dialect=dialect)
        return sqlglot.parse_one(template.format(text), read=dialect)

    def exchanged(node: exp.Expr) -> exp.Expr:
        if dialect in _MICROS and isinstance(node, exp.Anonymous) and node.name.upper() == "EPOCH_US":
            return own(_MICROS[dialect], node.expressions[0])
        if dialect in _INSTANT and isinstance(node, exp.UnixToTime):
            return own(_INSTANT[dialect], node.this)
        if dialect in _HEX and isinstance(node, exp.Cast) and _is_hex(node.this):
            return own(_HEX[dialect], node.this.expression)
        return node

    return exchanged


def _is_hex(node: exp.Expr) -> bool:
    return isinstance(node, exp.DPipe) and isinstance(node.this, exp.Literal) and node.this.this == "0x"


READS = (exp.Query, exp.Describe, exp.Show, exp.Summarize, exp.Values, exp.Pragma)
"""Statements that only read."""


def one_that_reads(sql: str, dialect: str) -> str:
    """`sql` without a closing semicolon, if it is one statement that only reads; WarehouseError otherwise."""
    text = sql.strip().rstrip(";").strip()
    try:
        found = [statement for statement in sqlglot.parse(text, dialect=dialect) if statement is not None]
    except SqlglotError as error:
        raise WarehouseError(
            "this cannot be read as SQL", where="query", saw=str(error).splitlines()[0], hint=""
        ) from error
    if len(found) != 1 or not isinstance(found[0], READS):
        saw = f"{len(found)} statements" if len(found) != 1 else found[0].key.upper()
        hint = "ask with one SELECT; tables change by `headwater run` only"
        raise WarehouseError("a query is one statement that only reads", where="query", saw=saw, hint=hint)
    return text


def count_rows(warehouse: Warehouse, layer: Layer, name: str) -> int:
    """How many rows a stored table holds."""
    return int(warehouse.rows(f"SELECT COUNT(*) FROM {warehouse.ref(layer, name)}")[0][0])
