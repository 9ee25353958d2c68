"""What phrases of DuckDB's are in Redshift, where sqlglot would pass them on or render them inexactly."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from headwater.warehouse.dialect.dialect import Dialect, Template

_DAWN = "TIMESTAMP '1970-01-01 00:00:00'"

# Two texts that differ by blanks at their end are equal there, however they are compared; their hashes are not.
_HELD = (
    "CASE WHEN {0} = {1} AND FNV_HASH({0}) = FNV_HASH({1}) THEN 0 WHEN {0} IS NULL AND {1} IS NULL THEN 0 ELSE 1 END"
)
_MONDAYS = "FLOOR(DATEDIFF(day, DATE '1970-01-05', {%d}) / 7.0)"
_TEXT = "CAST({0} AS VARCHAR(65535))"
_TRUE, _FALSE = "('true', 't', '1', 'yes', 'y', 'on')", "('false', 'f', '0', 'no', 'n', 'off')"
_BOOLEAN = f"CASE WHEN LOWER({_TEXT}) IN {_TRUE} THEN TRUE WHEN LOWER({_TEXT}) IN {_FALSE} THEN FALSE END"


def _rounded_sql(value: str, unit: str) -> str:
    """Half away from zero: Redshift does not say what it does with the half of a double."""
    scaled = f"({value}) * {unit}" if unit else f"({value})"
    away = f"CASE WHEN ABS({scaled} - TRUNC({scaled})) >= 0.5 THEN SIGN({value}) ELSE 0 END"
    return f"((TRUNC({scaled}) + {away}) / {unit})" if unit else f"(TRUNC({scaled}) + {away})"


def _round_sql(texts: list[str], _words: Mapping[str, Any]) -> str:
    value, digits = texts
    return _rounded_sql(value, "" if digits == "0" else f"POWER(10, {digits})")


def _round_digits_sql(texts: list[str], words: Mapping[str, Any]) -> str:
    return _rounded_sql(texts[0], f"1{words['zeros']}")


def _try_cast_sql(texts: list[str], words: Mapping[str, Any]) -> str:
    """TRY_CAST takes no empty text there, and makes no boolean of a text."""
    if words["unit"] == "BOOLEAN":
        return _BOOLEAN.format(*texts)
    return f"TRY_CAST(NULLIF({_TEXT}, '') AS {words['unit']})".format(*texts)


def _same_condition(texts: list[str], _words: Mapping[str, Any]) -> str:
    one, other = texts
    if "NULL" in texts:
        return f"({other if one == 'NULL' else one} IS NULL)"
    return f"({_HELD.format(*texts)} = 0)"


def _differs_condition(texts: list[str], words: Mapping[str, Any]) -> str:
    return f"(NOT {_same_condition(texts, words)})" if "NULL" in texts else f"({_HELD.format(*texts)} = 1)"


def _concat_sql(texts: list[str], _words: Mapping[str, Any]) -> str:
    """A NULL among them is nothing."""
    return "(" + " || ".join(f"COALESCE({text}, '')" for text in texts) + ")"


FUNCTIONS: Mapping[str, Template] = MappingProxyType(
    {
        "micros": f"DATEDIFF(us, {_DAWN}, {{0}})",
        # What is added is an INTEGER there, too small for the microseconds or seconds of an age.
        "instant": (
            "DATEADD(us, CAST(({0}) % 1000000 AS INTEGER), DATEADD(s, CAST(({0}) / 1000000 % 86400 AS INTEGER), "
            f"DATEADD(day, CAST(({{0}}) / 86400000000 AS INTEGER), {_DAWN})))"
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
        "extract EPOCH": f"(DATEDIFF(us, {_DAWN}, {{0}}) / CAST(1000000 AS DOUBLE PRECISION))",
        "cast text from boolean": "CASE WHEN {0} THEN 'true' WHEN NOT ({0}) THEN 'false' END",
        "try_cast": _try_cast_sql,
        "diff week": f"CAST({_MONDAYS % 1} - {_MONDAYS % 0} AS BIGINT)",
    }
)
"""Each phrase as Redshift says it. DATEDIFF counts boundaries there, as everywhere here, so most differences are its own."""

DIALECT = Dialect(name="redshift", functions=FUNCTIONS)
"""The SQL of Redshift."""
