"""The SQL of Redshift for the patterns that sqlglot would leave unchanged or render inexactly."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from headwater.warehouse.dialect.dialect import Dialect, Template

_EPOCH = "TIMESTAMP '1970-01-01 00:00:00'"

# In every comparison of Redshift, texts that differ only by trailing blanks are equal; their hashes differ.
_COMPARE = (
    "CASE WHEN {0} = {1} AND FNV_HASH({0}) = FNV_HASH({1}) THEN 0 WHEN {0} IS NULL AND {1} IS NULL THEN 0 ELSE 1 END"
)
_MONDAYS = "FLOOR(DATEDIFF(day, DATE '1970-01-05', {%d}) / 7.0)"
_TEXT = "CAST({0} AS VARCHAR(65535))"
_TRUE, _FALSE = "('true', 't', '1', 'yes', 'y', 'on')", "('false', 'f', '0', 'no', 'n', 'off')"
_BOOLEAN = f"CASE WHEN LOWER({_TEXT}) IN {_TRUE} THEN TRUE WHEN LOWER({_TEXT}) IN {_FALSE} THEN FALSE END"


def _rounded_sql(value: str, unit: str) -> str:
    """Rounding half away from zero: Redshift does not document how it rounds the half of a double."""
    scaled = f"({value}) * {unit}" if unit else f"({value})"
    away = f"CASE WHEN ABS({scaled} - TRUNC({scaled})) >= 0.5 THEN SIGN({value}) ELSE 0 END"
    return f"((TRUNC({scaled}) + {away}) / {unit})" if unit else f"(TRUNC({scaled}) + {away})"


def _round_sql(texts: list[str], _words: Mapping[str, Any]) -> str:
    value, digits = texts
    return _rounded_sql(value, "" if digits == "0" else f"POWER(10, {digits})")


def _round_digits_sql(texts: list[str], words: Mapping[str, Any]) -> str:
    return _rounded_sql(texts[0], f"1{words['zeros']}")


def _try_cast_sql(texts: list[str], words: Mapping[str, Any]) -> str:
    """TRY_CAST of Redshift does not accept an empty text, and does not convert a text to a boolean."""
    if words["unit"] == "BOOLEAN":
        return _BOOLEAN.format(*texts)
    return f"TRY_CAST(NULLIF({_TEXT}, '') AS {words['unit']})".format(*texts)


def _same_condition(texts: list[str], _words: Mapping[str, Any]) -> str:
    left, right = texts
    if "NULL" in texts:
        return f"({right if left == 'NULL' else left} IS NULL)"
    return f"({_COMPARE.format(*texts)} = 0)"


def _differs_condition(texts: list[str], words: Mapping[str, Any]) -> str:
    return f"(NOT {_same_condition(texts, words)})" if "NULL" in texts else f"({_COMPARE.format(*texts)} = 1)"


def _concat_sql(texts: list[str], _words: Mapping[str, Any]) -> str:
    """Concatenation that ignores NULL."""
    return "(" + " || ".join(f"COALESCE({text}, '')" for text in texts) + ")"


FUNCTIONS: Mapping[str, Template] = MappingProxyType(
    {
        "micros": f"DATEDIFF(us, {_EPOCH}, {{0}})",
        # DATEADD takes an INTEGER, which is too small for the microseconds or seconds since 1970.
        "instant": (
            "DATEADD(us, CAST(({0}) % 1000000 AS INTEGER), DATEADD(s, CAST(({0}) / 1000000 % 86400 AS INTEGER), "
            f"DATEADD(day, CAST(({{0}}) / 86400000000 AS INTEGER), {_EPOCH})))"
        ),
        "hex": "STRTOL({0}, 16)",
        "same": _same_condition,
        "differs": _differs_condition,
        "divide": (
            "CASE WHEN ({1}) <> 0 THEN CAST({0} AS DOUBLE PRECISION) / NULLIF(CAST({1} AS DOUBLE PRECISION), 0) "
            "WHEN ({0}) > 0 AND ({1}) = 0 THEN CAST('Infinity' AS DOUBLE PRECISION) "
            "WHEN ({0}) < 0 AND ({1}) = 0 THEN CAST('-Infinity' AS DOUBLE PRECISION) "
            "WHEN ({0}) = 0 AND ({1}) = 0 THEN CAST('NaN' AS DOUBLE PRECISION) END"
        ),
        "round": _round_sql,
        "round digits": _round_digits_sql,
        "starts": "({1} = '' OR POSITION({1} IN {0}) = 1)",
        "concat": _concat_sql,
        "truncate": "DATE_TRUNC('{unit}', CAST({0} AS TIMESTAMP))",
        "extract": "CAST(FLOOR(EXTRACT({unit} FROM {0})) AS BIGINT)",
        "extract EPOCH": f"(DATEDIFF(us, {_EPOCH}, {{0}}) / CAST(1000000 AS DOUBLE PRECISION))",
        "cast text from boolean": "CASE WHEN {0} THEN 'true' WHEN NOT ({0}) THEN 'false' END",
        "try_cast": _try_cast_sql,
        "diff week": f"CAST({_MONDAYS % 1} - {_MONDAYS % 0} AS BIGINT)",
    }
)
"""Pattern -> SQL in Redshift. DATEDIFF of Redshift counts boundaries as DuckDB does, so most differences need no entry."""

DIALECT = Dialect(name="redshift", functions=FUNCTIONS)
"""The SQL of Redshift."""
