"""The SQL of Postgres for the patterns that differ from DuckDB, and the functions that a session defines for it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from headwater.warehouse.dialect.dialect import Dialect

_DAY_NUMBER = "FLOOR(EXTRACT(EPOCH FROM {%d}) / %d)"


def _boundaries_sql(seconds: int) -> str:
    """The template of a difference in units of `seconds`."""
    first, second = (_DAY_NUMBER % (number, seconds) for number in (0, 1))
    return f"CAST({second} - {first} AS BIGINT)"


FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "micros": "CAST(EXTRACT(EPOCH FROM {0}) * 1000000 AS BIGINT)",
        # Intervals are multiplied as doubles. Seconds and microseconds are separate, so no microsecond is lost before 9999.
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
)
"""Pattern -> SQL in Postgres. `{unit}` is a unit or a type."""

SESSION = (
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
"""Statements at the start of a session. They define what `FUNCTIONS` call: division by zero, rounding half away from zero."""

DIALECT = Dialect(name="postgres", functions=FUNCTIONS, session_statements=SESSION)
"""The SQL of Postgres."""
