"""SQL of Spark 4 that converts values as DuckDB does: texts of numbers and instants, and doubles to text."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_NUMBER = r"([0-9]+(_[0-9]+)*[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
_BLANK = r"[ \t\n\x0B\f\r]*"
_DAY = r"[0-9]{4,6}([-/])[0-9]{1,2}\1[0-9]{1,2}"
_CLOCK = r"[T ][0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]*)?)?"
_ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2}(:[0-9]{2})?)?| [A-Za-z_/]+)?"
_AT = f"^{_BLANK}{_DAY}({_CLOCK}{_ZONE}{_BLANK})?$"
_ON = f"^{_BLANK}{_DAY}({_CLOCK}{_ZONE})?{_BLANK}$"


def _escape_braces(text: str) -> str:
    """Escape the braces of `text` for use in a template."""
    return text.replace("{", "{{").replace("}", "}}")


def _matches_sql(pattern: str, text: str = "{0}") -> str:
    """A template: whether a text matches a pattern, as a raw literal whose backslashes stay."""
    return f"{text} RLIKE r'{_escape_braces(pattern)}'"


def _refuse_null_sql(value: str, text: str = "{0}") -> str:
    """A template: `value`, or an error if it is NULL and the text is not."""
    return f"COALESCE({value}, IF({text} IS NULL, NULL, RAISE_ERROR(CONCAT('no {{unit}}: ', {text}))))"


_DIGITS = f"IF({_matches_sql(f'^{_BLANK}[+-]?{_NUMBER}{_BLANK}$')}, REPLACE({{0}}, '_', ''), NULL)"
_WHOLE = f"TRY_CAST(ROUND(TRY_CAST({_DIGITS} AS DECIMAL(38, 18))) AS {{unit}})"
_FRACTION = (
    f"TRY_CAST(IF({_matches_sql(f'(?i)^{_BLANK}[+-]?({_NUMBER}|inf|infinity|nan){_BLANK}$')}, "
    "REPLACE({0}, '_', ''), NULL) AS {unit})"
)
_DECIMAL = f"TRY_CAST({_DIGITS} AS {{unit}})"
_TRUTH = f"TRY_CAST(IF({_matches_sql('(?i)^(true|false|t|f|yes|no|y|n|1|0)$')}, {{0}}, NULL) AS {{unit}})"
# Spark requires dashes, and seconds if there is a zone.
_MINUTES = _escape_braces(r"^([^:]*:[0-9]{1,2})(?![0-9:])")
_SPELLED = f"REGEXP_REPLACE(REPLACE({{0}}, '/', '-'), r'{_MINUTES}', '$1:00')"
_MOMENT = f"TRY_CAST(IF({_matches_sql(_AT)}, {_SPELLED}, NULL) AS {{unit}})"
_DATE = f"CAST(TRY_CAST(IF({_matches_sql(_ON)}, {_SPELLED}, NULL) AS TIMESTAMP_NTZ) AS {{unit}})"


def _by_type_sql(choices: Mapping[str, str], otherwise: str) -> str:
    """A template: a CASE over the name of the value's type. `choices`: pattern -> SQL."""
    branches = "".join(f" WHEN TYPEOF({{0}}) RLIKE '{pattern}' THEN {sql}" for pattern, sql in choices.items())
    return f"CASE{branches} ELSE {otherwise} END"


def _as_text_sql(template: str, kind: str = "STRING") -> str:
    """Apply `template` to the text of the value."""
    text = "CAST({0} AS STRING)"
    return template.replace("{0}", text if kind == "STRING" else f"CAST({text} AS {kind})")


def _cut_sql(cast: str, value: str) -> str:
    """A template: a double as a decimal, computed as an integer number of its smallest units."""
    return f"{cast}({cast}(ROUND({value} * 1e{{scale}}D) AS {{units}}) * {{step}}BD AS {{unit}})"


def _format_double_sql(names: str, tail: str, wide: int, narrow: int) -> str:
    """A template: the shortest text of a double, computed from Java's text, in DuckDB's format.

    Java 17 sometimes uses one digit too many beyond 1e16, so the fewest digits that parse to the same value are used.
    """
    tries = ", ".join(
        f"IF(CAST(FORMAT_STRING('%.{digits}e', _x) AS DOUBLE) = _x, FORMAT_STRING('%.{digits}e', _x), NULL)"
        for digits in (14, 15, 16)
    )
    parts = (
        f"TRANSFORM(TRANSFORM(ARRAY(CAST(_s AS DOUBLE)), _x -> COALESCE({tries})), _t -> NAMED_STRUCT("
        "'s', IF(_t LIKE '-%', '-', ''), 'd', RTRIM('0', REPLACE(REGEXP_EXTRACT(_t, '([0-9.]+)e', 1), '.', '')), "
        "'e', CAST(REGEXP_EXTRACT(_t, 'e(.*)', 1) AS INT)))"
    )
    digits = (
        f"CASE WHEN _v.e >= {wide} OR _v.e < {narrow} THEN CONCAT(LEFT(_v.d, 1), IF(LENGTH(_v.d) > 1, '.', ''), "
        f"SUBSTRING(_v.d, 2), {tail}) WHEN _v.e < 0 THEN CONCAT('0.', REPEAT('0', -_v.e - 1), _v.d) "
        "WHEN LENGTH(_v.d) <= _v.e + 1 THEN CONCAT(RPAD(_v.d, _v.e + 1, '0'), '.0') "
        "ELSE CONCAT(SUBSTRING(_v.d, 1, _v.e + 1), '.', SUBSTRING(_v.d, _v.e + 2)) END"
    )
    shown = f"GET(TRANSFORM({parts}, _v -> CONCAT(_v.s, {digits})), 0)"
    each = f"CASE _s {names} ELSE IF(_s LIKE '%E%', {shown}, _s) END"
    return f"GET(TRANSFORM(ARRAY(CAST({{0}} AS STRING)), _s -> {each}), 0)"


_TEXT = _format_double_sql(
    "WHEN 'NaN' THEN 'nan' WHEN 'Infinity' THEN 'inf' WHEN '-Infinity' THEN '-inf'",
    "IF(_v.e < 0, 'e-', 'e+'), IF(ABS(_v.e) < 10, '0', ''), ABS(_v.e)",
    16,
    -4,
)
JSON_NUMBER = _format_double_sql("WHEN 'NaN' THEN _s", "'e', _v.e", 21, -6)
"""The JSON text of a double, in DuckDB's format."""

_CASTS = {
    "cast text from double": _TEXT,
    "cast text from unknown": _by_type_sql({"^double$": _TEXT}, "CAST({0} AS STRING)"),
    "cast whole from double": "CAST(RINT({0}) AS {unit})",
    "cast whole from decimal": "CAST(ROUND({0}) AS {unit})",
    "cast whole from text": _refuse_null_sql(_WHOLE),
    "cast whole from unknown": _by_type_sql(
        {
            "^(double|float)$": f"CAST(RINT({_as_text_sql('{0}', 'DOUBLE')}) AS {{unit}})",
            "^(string|decimal)": _as_text_sql(_refuse_null_sql(_WHOLE)),
            "^boolean$": "IF(CAST({0} AS STRING) = 'true', 1, IF({0} IS NULL, NULL, 0))",
        },
        "CAST({0} AS {unit})",
    ),
    "cast double from text": _refuse_null_sql(_FRACTION),
    "cast double from unknown": _by_type_sql(
        {"^string$": _as_text_sql(_refuse_null_sql(_FRACTION))}, "CAST({0} AS {unit})"
    ),
    "cast decimal from text": _refuse_null_sql(_DECIMAL),
    "cast decimal from double": _cut_sql("CAST", "{0}"),
    "cast decimal from unknown": _by_type_sql(
        {
            "^string$": _as_text_sql(_refuse_null_sql(_DECIMAL)),
            "^(double|float)$": _cut_sql("CAST", _as_text_sql("{0}", "DOUBLE")),
        },
        "CAST({0} AS {unit})",
    ),
    "cast boolean from text": _refuse_null_sql(_TRUTH),
    "cast boolean from unknown": _by_type_sql(
        {"^string$": _as_text_sql(_refuse_null_sql(_TRUTH))}, "CAST({0} AS {unit})"
    ),
    "cast date from text": _refuse_null_sql(_DATE),
    "cast date from unknown": _by_type_sql({"^string$": _as_text_sql(_refuse_null_sql(_DATE))}, "CAST({0} AS {unit})"),
    "cast instant from text": _refuse_null_sql(_MOMENT),
    "cast instant from unknown": _by_type_sql(
        {"^string$": _as_text_sql(_refuse_null_sql(_MOMENT))}, "CAST({0} AS {unit})"
    ),
}
_TRIES = {
    "try text from double": _TEXT,
    "try text from unknown": _CASTS["cast text from unknown"],
    "try whole from double": "TRY_CAST(RINT({0}) AS {unit})",
    "try whole from decimal": "TRY_CAST(ROUND({0}) AS {unit})",
    "try whole from text": _WHOLE,
    "try whole from unknown": _by_type_sql(
        {
            "^(double|float)$": f"TRY_CAST(RINT({_as_text_sql('{0}', 'DOUBLE')}) AS {{unit}})",
            "^boolean$": "IF(CAST({0} AS STRING) = 'true', 1, IF({0} IS NULL, NULL, 0))",
        },
        _as_text_sql(_WHOLE),
    ),
    "try double from text": _FRACTION,
    "try double from unknown": _by_type_sql(
        {
            "^(double|float)$": _as_text_sql("{0}", "DOUBLE"),
            "^boolean$": "IF(CAST({0} AS STRING) = 'true', 1, IF({0} IS NULL, NULL, 0))",
        },
        _as_text_sql(_FRACTION),
    ),
    "try decimal from text": _DECIMAL,
    "try decimal from double": _cut_sql("TRY_CAST", "{0}"),
    "try decimal from unknown": _by_type_sql(
        {
            "^(double|float)$": _cut_sql("TRY_CAST", _as_text_sql("{0}", "DOUBLE")),
            "^boolean$": "IF(CAST({0} AS STRING) = 'true', 1, IF({0} IS NULL, NULL, 0))",
        },
        _as_text_sql(_DECIMAL),
    ),
    "try boolean from text": _TRUTH,
    "try boolean from unknown": _by_type_sql(
        {"^string$": _as_text_sql(_TRUTH), "^(boolean|void)$": "CAST(CAST({0} AS STRING) AS BOOLEAN)"},
        "CAST(CAST(CAST({0} AS STRING) AS DOUBLE) AS BOOLEAN)",
    ),
    "try date from text": _DATE,
    "try date from unknown": _by_type_sql({"^(string|date|timestamp)": _as_text_sql(_DATE)}, "NULL"),
    "try instant from text": _MOMENT,
    "try instant from unknown": _by_type_sql({"^(string|date|timestamp)": _as_text_sql(_MOMENT)}, "NULL"),
}
_NEVER = {
    f"try {made} from {of}": "CAST(NULL AS {unit})"
    for kinds, others in (
        (("date", "instant"), ("whole", "double", "decimal", "boolean", "nested")),
        (("whole", "double", "decimal", "boolean"), ("date", "instant", "zoned", "nested")),
    )
    for made in kinds
    for of in others
}
"""Conversions that always give NULL; Spark would reject them, or interpret a number as seconds."""
_SPANS = {
    f"{verb} instant from {of}": f"{cast}({{0}} AS {{unit}})"
    for verb, cast in (("cast", "CAST"), ("try", "TRY_CAST"))
    for of in ("date", "instant", "zoned", "null")
}

CASTS: Mapping[str, str] = MappingProxyType({**_CASTS, **_TRIES, **_NEVER, **_SPANS})
"""Conversion -> SQL. `{unit}` is the target type; a decimal is a number (type `{units}`) of its smallest `{step}`."""
