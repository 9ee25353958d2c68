"""What sqlglot would pass on unchanged or render inexactly, exchanged for another dialect's own words: tables.

DuckDB's meaning counts everywhere: a division is one of doubles and gives infinity by zero, rounding is half away from
zero, differences of dates count the boundaries that are crossed, letters fold beyond ASCII. `SUPPORT` are functions that
an engine is given for a session where a phrase alone cannot say it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import sqlglot
from sqlglot import exp

_DAY_NUMBER = "FLOOR(EXTRACT(EPOCH FROM {%d}) / %d)"


def _boundaries(seconds: int) -> str:
    """The template of a difference in units of so many seconds."""
    first, second = (_DAY_NUMBER % (number, seconds) for number in (0, 1))
    return f"CAST({second} - {first} AS BIGINT)"


_POSTGRES = {
    "micros": "CAST(EXTRACT(EPOCH FROM {0}) * 1000000 AS BIGINT)",
    # An interval is multiplied by a double: whole seconds and the rest apart, so that no microsecond is lost before 9999.
    "instant": (
        "(TIMESTAMP '1970-01-01 00:00:00' + ({0}) / 1000000 * INTERVAL '1 second' "
        "+ ({0}) % 1000000 * INTERVAL '1 microsecond')"
    ),
    "hex": "CAST(CAST('x' || {0} AS BIT(60)) AS BIGINT)",
    "divide": "pg_temp.divided(CAST({0} AS DOUBLE PRECISION), CAST({1} AS DOUBLE PRECISION))",
    "round": "pg_temp.rounded({0}, {1})",
    "lower": '(LOWER(({0}) COLLATE "pg_c_utf8") COLLATE "C")',
    "upper": '(UPPER(({0}) COLLATE "pg_c_utf8") COLLATE "C")',
    "truncate": "DATE_TRUNC('{unit}', CAST({0} AS TIMESTAMP))",
    "extract": "CAST(FLOOR(EXTRACT({unit} FROM {0})) AS BIGINT)",
    "try_cast": "CAST(CASE WHEN PG_INPUT_IS_VALID(CAST({0} AS TEXT), '{unit}') THEN CAST({0} AS TEXT) END AS {unit})",
    "diff second": _boundaries(1),
    "diff minute": _boundaries(60),
    "diff hour": _boundaries(3600),
    "diff day": "CAST(CAST({1} AS DATE) - CAST({0} AS DATE) AS BIGINT)",
    "diff month": (
        "CAST((EXTRACT(YEAR FROM {1}) - EXTRACT(YEAR FROM {0})) * 12 "
        "+ EXTRACT(MONTH FROM {1}) - EXTRACT(MONTH FROM {0}) AS BIGINT)"
    ),
    "diff quarter": (
        "CAST((EXTRACT(YEAR FROM {1}) - EXTRACT(YEAR FROM {0})) * 4 "
        "+ EXTRACT(QUARTER FROM {1}) - EXTRACT(QUARTER FROM {0}) AS BIGINT)"
    ),
    "diff year": "CAST(EXTRACT(YEAR FROM {1}) - EXTRACT(YEAR FROM {0}) AS BIGINT)",
}
_REDSHIFT = {
    "micros": "CAST(EXTRACT(EPOCH FROM {0}) AS BIGINT) * 1000000 + EXTRACT(US FROM {0})",
    "instant": "DATEADD(us, {0}, TIMESTAMP '1970-01-01 00:00:00')",
    "hex": "STRTOL({0}, 16)",
}
_SPARK = {
    "micros": "UNIX_MICROS({0})",
    "instant": "TIMESTAMP_MICROS({0})",
    "hex": "CAST(CONV({0}, 16, 10) AS BIGINT)",
}
TEMPLATES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"postgres": _POSTGRES, "redshift": _REDSHIFT, "spark": _SPARK}
)
"""By dialect: what each phrase is there. A phrase that is not in a table is left to sqlglot."""

SUPPORT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "postgres": (
            """CREATE OR REPLACE FUNCTION pg_temp.divided(double precision, double precision)
            RETURNS double precision LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN $2 <> 0 THEN $1 / $2
            WHEN $1 > 0 AND $1 <> 'NaN' THEN 'Infinity'::double precision
            WHEN $1 < 0 THEN '-Infinity'::double precision
            WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN 'NaN'::double precision END $$""",
            """CREATE OR REPLACE FUNCTION pg_temp.rounded(numeric, integer)
            RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT pg_catalog.round($1, $2) $$""",
            """CREATE OR REPLACE FUNCTION pg_temp.rounded(double precision, integer)
            RETURNS double precision LANGUAGE sql IMMUTABLE AS $$ SELECT CASE
            WHEN $1 IN ('Infinity', '-Infinity', 'NaN') THEN $1
            ELSE (pg_catalog.trunc($1 * 10.0::double precision ^ $2) + CASE WHEN pg_catalog.abs($1 *
            10.0::double precision ^ $2 - pg_catalog.trunc($1 * 10.0::double precision ^ $2)) >= 0.5
            THEN pg_catalog.sign($1) ELSE 0 END) / 10.0::double precision ^ $2 END $$""",
        )
    }
)
"""By dialect: statements that a session begins with, so that the phrases in `TEMPLATES` mean something."""


def exchanged(tree: exp.Expr, dialect: str) -> exp.Expr:
    """`tree` (of DuckDB) with the phrases of another dialect in it."""
    templates = TEMPLATES.get(dialect)
    return tree.transform(_exchange(dialect, templates)) if templates else tree


def _exchange(dialect: str, templates: Mapping[str, str]) -> Callable[[exp.Expr], exp.Expr]:
    def exchange(node: exp.Expr) -> exp.Expr:
        for phrase, inner, unit in _phrases(node, dialect):
            if phrase in templates:
                texts = [part.transform(exchange).sql(dialect=dialect) for part in inner]
                return sqlglot.parse_one(templates[phrase].format(*texts, unit=unit), read=dialect)
        return node

    return exchange


def _phrases(node: exp.Expr, dialect: str) -> Iterator[tuple[str, list[exp.Expr], str]]:
    """The phrase that a node is: its name in the tables, what stands in it, and its unit or type."""
    match node:
        case exp.Anonymous() if node.name.upper() == "EPOCH_US":
            yield "micros", [node.expressions[0]], ""
        case exp.UnixToTime():
            yield "instant", [node.this], ""
        case exp.TryCast():
            yield "try_cast", [node.this], node.to.sql(dialect=dialect)
        case exp.Cast() if _is_hex(node.this):
            yield "hex", [node.this.expression], ""
        case exp.Div():
            yield "divide", [node.this, node.expression], ""
        case exp.Round():
            yield "round", [node.this, node.args.get("decimals") or exp.Literal.number(0)], ""
        case exp.Lower():
            yield "lower", [node.this], ""
        case exp.Upper():
            yield "upper", [node.this], ""
        case exp.DateTrunc() | exp.TimestampTrunc():
            yield "truncate", [node.this], node.text("unit").lower()
        case exp.Extract() if node.name.upper() != "EPOCH":
            yield "extract", [node.expression], node.name
        case exp.Year() | exp.Month() | exp.Day():
            yield "extract", [node.this], node.key.upper()
        case exp.DateDiff():
            yield f"diff {node.text('unit').lower() or 'day'}", [node.expression, node.this], ""


def _is_hex(node: exp.Expr) -> bool:
    return isinstance(node, exp.DPipe) and isinstance(node.this, exp.Literal) and node.this.this == "0x"
