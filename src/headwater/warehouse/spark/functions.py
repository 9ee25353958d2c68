"""The SQL of Spark 4 for the patterns that differ from DuckDB, used by `headwater.warehouse.dialect.translate`.

It assumes ANSI mode, the session time zone UTC, and string literals with escapes; these are defaults of Spark 4 or set by
the engine. An instant is a TIMESTAMP_NTZ. If a type is unknown, `TYPEOF` decides: Spark evaluates it before it reads a
row, so that the branches of other types cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from headwater.warehouse.dialect.dialect import Dialect, Template
from headwater.warehouse.spark.casts import CASTS
from headwater.warehouse.spark.json import json_sql

EPOCH = "TIMESTAMP_NTZ '1970-01-01 00:00:00'"

_SPACES = " " + "".join(map(chr, (0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)))
"""The characters that TRIM removes."""
_SPECIAL = "".join(letter for letter in map(chr, range(0x10000)) if len(letter.upper()) > 1)
"""Letters whose upper case in Java is several letters, and in DuckDB one letter or the letter itself."""
_PRIVATE = "".join(chr(0xF0000 + index) for index in range(len(_SPECIAL)))
_UPPER_CASE = "".join(
    "\u1e9e" if letter == "\u00df" else letter.title() if len(letter.title()) == 1 else letter for letter in _SPECIAL
)

_INSTANT_OF = "CAST({%d} AS TIMESTAMP_NTZ)"
_MICROS = f"TIMESTAMPDIFF(MICROSECOND, {EPOCH}, {_INSTANT_OF % 0})"


def _truncate_sql(number: int, unit: str) -> str:
    return f"DATE_TRUNC('{unit}', CAST({{{number}}} AS TIMESTAMP_LTZ))"


def _boundaries_sql(unit: str) -> str:
    return f"TIMESTAMPDIFF({unit}, {_truncate_sql(0, unit)}, {_truncate_sql(1, unit)})"


def _count_sql(unit: str, months: int) -> str:
    first, second = (f"(YEAR({{{number}}}) * {12 // months} + {unit}({{{number}}}))" for number in (0, 1))
    return f"CAST({second} - {first} AS BIGINT)"


def _whole_number_sql(step: str) -> str:
    """A template: the integer below (`step` -1) or above (1) a number of any type, in the same type."""
    beyond = f"{{0}} % 1 {'<' if step.startswith('-') else '>'} 0"
    return f"CASE WHEN {{0}} % 1 <= 1 THEN ROUND({{0}} - {{0}} % 1 + IF({beyond}, {step}, 0)) ELSE ROUND({{0}}) END"


FUNCTIONS: Mapping[str, Template] = MappingProxyType(
    {
        **CASTS,
        "json": json_sql,
        "micros": _MICROS,
        "instant": f"TIMESTAMPADD(MICROSECOND, {{0}}, {EPOCH})",
        "hex": "CAST(CONV({0}, 16, 10) AS BIGINT)",
        "divide": (
            "COALESCE(TRY_DIVIDE(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE)), "
            "IF({1} = 0, CAST({0} AS DOUBLE) * IF(CAST({1} AS STRING) = '-0.0', DOUBLE('-inf'), DOUBLE('inf')), NULL))"
        ),
        "round digits": (
            "ROUND(ROUND({0} * 1{zeros}BD) / 1{zeros}BD, IF(TYPEOF({0}) RLIKE '^(tiny|small|big)?int$', 0, {unit}))"
        ),
        "round double digits": "ROUND({0} * 1e{unit}D) / 1e{unit}D",
        "floor double": "CASE WHEN ABS({0}) < 9e18D THEN CAST(FLOOR({0}) AS DOUBLE) ELSE {0} END",
        "ceil double": "CASE WHEN ABS({0}) < 9e18D THEN CAST(CEIL({0}) AS DOUBLE) ELSE {0} END",
        "floor": _whole_number_sql("-1"),
        "ceil": _whole_number_sql("1"),
        "lower": "LOWER(TRANSLATE({0}, '\u0130\u03a3', 'i\u03c3'))",
        "upper": f"TRANSLATE(UPPER(TRANSLATE({{0}}, '{_SPECIAL}', '{_PRIVATE}')), '{_PRIVATE}', '{_UPPER_CASE}')",
        "trim": f"TRIM(BOTH '{_SPACES}' FROM {{0}})",
        "trim leading": f"TRIM(LEADING '{_SPACES}' FROM {{0}})",
        "trim trailing": f"TRIM(TRAILING '{_SPACES}' FROM {{0}})",
        "like": r"{0} LIKE REPLACE({1}, '\\', '\\\\')",
        "not like": r"{0} NOT LIKE REPLACE({1}, '\\', '\\\\')",
        "substring": (
            "IF({2} < 0, SUBSTRING({0}, GREATEST({1} + {2}, 1), {1} - GREATEST({1} + {2}, 1)), "
            "SUBSTRING({0}, IF({1} = 0, 1, {1}), IF({1} = 0, {2} - 1, {2})))"
        ),
        "substring on": "SUBSTRING({0}, IF({1} = 0, 1, {1}))",
        "left": "LEFT({0}, IF({1} < 0, LENGTH({0}) + {1}, {1}))",
        "right": "RIGHT({0}, IF({1} < 0, LENGTH({0}) + {1}, {1}))",
        "split": "IF({2} = 0, LEFT({0}, 0), IF({1} = '', SUBSTRING({0}, {2}, 1), SPLIT_PART({0}, {1}, IF({2} = 0, 1, {2}))))",
        "concat": "CONCAT_WS('', {all})",
        "join": "{0} || {1}",
        "mapped": "TRANSFORM({0}, {name} -> {1})",
        "filtered": "TRANSFORM(FILTER({0}, {name} -> {1}), {name} -> {2})",
        "element": "GET({0}, {place})",
        "shift": f"{_INSTANT_OF % 0} {{sign}} {{1}}",
        "days between": "CAST(DATEDIFF({0}, {1}) AS BIGINT)",
        "days later": "DATE_ADD({0}, CAST({sign}({1}) AS INT))",
        "quarters": "INTERVAL '{months}' MONTH",
        "truncate": f"CAST({_truncate_sql(0, '{unit}')} AS TIMESTAMP_NTZ)",
        "extract": f"CAST(FLOOR(EXTRACT({{unit}} FROM {_INSTANT_OF % 0})) AS BIGINT)",
        "extract DOW": f"CAST(DAYOFWEEK({_INSTANT_OF % 0}) - 1 AS BIGINT)",
        "extract DAYOFWEEK": f"CAST(DAYOFWEEK({_INSTANT_OF % 0}) - 1 AS BIGINT)",
        "extract ISODOW": f"CAST(WEEKDAY({_INSTANT_OF % 0}) + 1 AS BIGINT)",
        "extract ISOYEAR": f"CAST(EXTRACT(YEAROFWEEK FROM {_INSTANT_OF % 0}) AS BIGINT)",
        "extract EPOCH": f"({_MICROS} / 1000000D)",
        "extract MICROSECOND": f"CAST(EXTRACT(SECOND FROM {_INSTANT_OF % 0}) * 1000000 AS BIGINT)",
        "extract MILLISECOND": f"CAST(FLOOR(EXTRACT(SECOND FROM {_INSTANT_OF % 0}) * 1000) AS BIGINT)",
        "diff microsecond": f"TIMESTAMPDIFF(MICROSECOND, {_INSTANT_OF % 0}, {_INSTANT_OF % 1})",
        "diff millisecond": _boundaries_sql("MILLISECOND"),
        "diff second": _boundaries_sql("SECOND"),
        "diff minute": _boundaries_sql("MINUTE"),
        "diff hour": _boundaries_sql("HOUR"),
        "diff day": "CAST(DATEDIFF(CAST({1} AS DATE), CAST({0} AS DATE)) AS BIGINT)",
        "diff week": f"CAST(DATEDIFF({_truncate_sql(1, 'WEEK')}, {_truncate_sql(0, 'WEEK')}) DIV 7 AS BIGINT)",
        "diff month": _count_sql("MONTH", 1),
        "diff quarter": _count_sql("QUARTER", 3),
        "diff year": "CAST(YEAR({1}) - YEAR({0}) AS BIGINT)",
    }
)
"""Pattern -> SQL in Spark. `{unit}` is a unit or a type, `{scale}` the scale of a decimal."""

DIALECT = Dialect(
    name="spark",
    functions=FUNCTIONS,
    # The meaning of TIMESTAMP in Spark depends on a setting.
    type_names={"zoned": "TIMESTAMP_LTZ"},
    verbatim=True,
)
"""The SQL of Spark."""
