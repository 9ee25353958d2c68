"""SQL that writes equal values as equal text. It fails instead of changing a value."""

from __future__ import annotations

import re

from headwater.names import quote_literal

NOT_CANONICAL = "a JSON value may not be canonical"
"""The error of DuckDB for a value that `json_text.JsonRewriter` must convert first."""
CANONICAL_PREFIX = "\ufdd0headwater:"
"""The prefix of a JSON string that contains canonical text, from a record that was read row by row."""

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_CANONICAL_INTEGER = "0|-?[1-9][0-9]{0,17}"
"""Whole numbers of JSON that are canonical. Most others are canonical too, but rare."""
_CANONICAL_FRACTION = r"(0|-?[1-9][0-9]{0,17})\.[0-9]{1,6}|-0\.[0-9]{0,5}[1-9]"
"""Fractions of JSON that are canonical without trailing zeros."""


def decimal_sql(value: str, dtype: str) -> str:
    """A text as a decimal of `dtype`. It fails if digits would be lost."""
    match = _DECIMAL.fullmatch(dtype)
    assert match is not None, dtype
    precision, scale = int(match[1]), int(match[2])
    fraction = f"[0-9]{{1,{scale}}}0*" if scale else "0+"
    pattern = quote_literal(f"-?0*[0-9]{{0,{precision - scale}}}(\\.{fraction})?")
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN regexp_full_match({value}, {pattern}) "
        f"THEN CAST({value} AS {dtype.upper()}) ELSE error('no {dtype}') END"
    )


def double_sql(value: str) -> str:
    """A double, with 0.0 instead of -0.0."""
    return f"({value} + 0.0::DOUBLE)"


def json_sql(value: str) -> str:
    """The canonical text of a JSON value."""
    text = f"CAST({value} AS VARCHAR)"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN starts_with({text}, {quote_literal(chr(34) + CANONICAL_PREFIX)}) "
        f"THEN substr({value} ->> '$', {len(CANONICAL_PREFIX) + 1}) "
        f"WHEN {_is_canonical_sql(text)} THEN {text} {_otherwise_sql(text)} END"
    )


def loose_sql(value: str) -> str:
    """Any JSON value as text: a string unchanged, any other value as canonical JSON."""
    text = f"CAST({value} AS VARCHAR)"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN starts_with({text}, '\"') THEN {value} ->> '$' "
        f"WHEN {_is_canonical_sql(text)} THEN {text} {_otherwise_sql(text)} END"
    )


def _otherwise_sql(text: str) -> str:
    return (
        f"WHEN regexp_full_match({text}, {quote_literal(_CANONICAL_FRACTION)}) THEN rtrim(rtrim({text}, '0'), '.') "
        f"ELSE error({quote_literal(NOT_CANONICAL)})"
    )


def _is_canonical_sql(text: str) -> str:
    return f"{text}[1] IN ('\"', 't', 'f') OR regexp_full_match({text}, {quote_literal(_CANONICAL_INTEGER)})"
