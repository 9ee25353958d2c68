"""SQL that keeps a value's meaning and makes its spelling one; what would change a value is an error instead."""

from __future__ import annotations

import re

from headwater.names import literal

CANONICAL = "headwater_canonical"
"""The function that brings a JSON text into its canonical form, in the DuckDB of a `ParquetWriter`."""
WRITTEN = "\ufdd0headwater:"
"""What a JSON string begins with that holds a canonical text, from a record that was read row by row."""

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_SETTLED = "0|-?[1-9][0-9]{0,17}"
"""Numbers of JSON that are spelled canonically already; most of the others are, too, but cost a second look."""


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
        f"WHEN {_settled_sql(text)} THEN {text} ELSE {CANONICAL}({text}) END"
    )


def loose_sql(value: str) -> str:
    """Any JSON value as text: a string as it is, anything else by its canonical text."""
    text = f"CAST({value} AS VARCHAR)"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN starts_with({text}, '\"') THEN {value} ->> '$' "
        f"WHEN {_settled_sql(text)} THEN {text} ELSE {CANONICAL}({text}) END"
    )


def _settled_sql(text: str) -> str:
    return f"{text}[1] IN ('\"', 't', 'f') OR regexp_full_match({text}, {literal(_SETTLED)})"
