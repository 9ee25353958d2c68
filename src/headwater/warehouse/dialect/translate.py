"""What sqlglot would pass on unchanged or render inexactly, exchanged for another dialect's own words: tables.

DuckDB's meaning counts everywhere: a division is one of doubles and gives infinity by zero, rounding is half away from
zero, differences of dates count the boundaries that are crossed, letters fold beyond ASCII. `SUPPORT` are functions that
an engine is given for a session where a phrase alone cannot say it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import sqlglot
from sqlglot import exp

from headwater.warehouse.dialect.patterns import find_patterns
from headwater.warehouse.redshift.functions import PHRASES as REDSHIFT
from headwater.warehouse.spark.functions import PHRASES
from headwater.warehouse.spark.json import json_text

_DAY_NUMBER = "FLOOR(EXTRACT(EPOCH FROM {%d}) / %d)"


def _boundaries_sql(seconds: int) -> str:
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
    "diff second": _boundaries_sql(1),
    "diff minute": _boundaries_sql(60),
    "diff hour": _boundaries_sql(3600),
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
Template = str | Callable[[list[str], Mapping[str, Any]], str]
"""How a phrase is said: a template, or what makes the text of what stands in the phrase and its words."""

TEMPLATES: Mapping[str, Mapping[str, Template]] = MappingProxyType(
    {"postgres": _POSTGRES, "redshift": REDSHIFT, "spark": {**PHRASES, "json": json_text}}
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


VERBATIM = frozenset({"spark"})
"""Dialects whose phrases are put in as they are: parsing long ones once more would take longer than all the rest."""


def translate(tree: exp.Expr, dialect: str) -> exp.Expr:
    """`tree` (of DuckDB), at whose columns is noted what kind of value they hold, with another dialect's phrases in it."""
    templates = TEMPLATES.get(dialect)
    if not templates:
        return tree
    return tree.transform(_make_translator(dialect, templates))


def _make_translator(dialect: str, templates: Mapping[str, Template]) -> Callable[[exp.Expr], exp.Expr]:
    def translate_node(node: exp.Expr) -> exp.Expr:
        for phrase, inner, words in find_patterns(node, dialect):
            said = templates.get(phrase)
            if said is not None:
                texts = [part.transform(translate_node).sql(dialect=dialect) for part in inner]
                text = (
                    said.format(*texts, all=", ".join(texts), **words) if isinstance(said, str) else said(texts, words)
                )
                return exp.Var(this=f"({text})") if dialect in VERBATIM else sqlglot.parse_one(text, read=dialect)
        return node

    return translate_node
