"""SQL that keeps a value's meaning and makes its spelling one; what would change a value is an error instead."""

from __future__ import annotations

import re

from headwater.names import literal

UNSETTLED = "a JSON value may not be canonical"
"""The error of DuckDB for a value that `json_text.JsonRewriter` must write first."""
WRITTEN = "\ufdd0headwater:"
"""What a JSON string begins with that holds a canonical text, from a record that was read row by row."""

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_SETTLED = "0|-?[1-9][0-9]{0,17}"
"""Whole numbers of JSON that are spelled canonically already. So are most others, but those are rare."""
_FRACTION = r"(0|-?[1-9][0-9]{0,17})\.[0-9]{1,6}|-0\.[0-9]{0,5}[1-9]"
"""Fractions of JSON that are canonical without the zeros at their end."""


def decimal_sql(value: str, dtype: str) -> str:
    """A text as a decimal of `dtype`: an error where digits would be lost."""
    found = _DECIMAL.fullmatch(dtype)
    assert found is not None, dtype
    precision, scale = int(found[1]), int(found[2])
    places = f"[0-9]{{1,{scale}}}0*" if scale else "0+"
    fits = literal(f"-?0*[0-9]{{0,{precision - scale}}}(\\.{places})?")
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN regexp_full_match({value}, {fits}) "
        f"THEN CAST({value} AS {dtype.upper()}) ELSE error('no {dtype}') END"
    )


def double_sql(value: str) -> str:
    """A double; of the two zeros the one without a sign."""
    return f"({value} + 0.0::DOUBLE)"


def json_sql(value: str) -> str:
    """The canonical text of a JSON value."""
    text = f"CAST({value} AS VARCHAR)"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN starts_with({text}, {literal(chr(34) + WRITTEN)}) "
        f"THEN substr({value} ->> '$', {len(WRITTEN) + 1}) "
        f"WHEN {_settled_sql(text)} THEN {text} {_unsettled_sql(text)} END"
    )


def loose_sql(value: str) -> str:
    """Any JSON value as text: a string as it is, anything else by its canonical text."""
    text = f"CAST({value} AS VARCHAR)"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN starts_with({text}, '\"') THEN {value} ->> '$' "
        f"WHEN {_settled_sql(text)} THEN {text} {_unsettled_sql(text)} END"
    )


def _unsettled_sql(text: str) -> str:
    return (
        f"WHEN regexp_full_match({text}, {literal(_FRACTION)}) THEN rtrim(rtrim({text}, '0'), '.') "
        f"ELSE error({literal(UNSETTLED)})"
    )


def _settled_sql(text: str) -> str:
    return f"{text}[1] IN ('\"', 't', 'f') OR regexp_full_match({text}, {literal(_SETTLED)})"
