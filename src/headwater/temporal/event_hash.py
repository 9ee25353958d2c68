"""Canonical text of values, so that the same event has the same hash on every engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headwater.names import quote, quote_literal
from headwater.temporal.sql import micros_sql

_EXACT = 9007199254740992
"""2**53. The whole part of a smaller double fits into a bigint, and its fraction times this number is whole."""

_CHAIN = 4
"""So many texts are concatenated from left to right."""


def canonical_sql(value: str, dtype: str) -> str:
    """The canonical text of `value` (SQL); NULL stays NULL.

    Whole numbers are digits, booleans t or f, timestamps microseconds since 1970, dates ISO, and decimals have their
    scale. A text follows its length, so that one text never looks like two. A double is its whole part, and its
    fraction in units of 2**-53. This is exact from 1 on. Below 1, differences under 1e-16 are lost.
    """
    if dtype in {"text", "json"}:
        return f"CAST(LENGTH({value}) AS VARCHAR) || ':' || {value}"
    if dtype == "boolean":
        return f"CASE WHEN {value} THEN 't' WHEN NOT {value} THEN 'f' END"
    if dtype == "timestamp":
        return f"CAST({micros_sql(value)} AS VARCHAR)"
    if dtype == "double":
        whole, rest = f"FLOOR({value})", f"({value} - FLOOR({value})) * {_EXACT}"
        return (
            f"CASE WHEN ABS({value}) < {_EXACT} THEN CAST(CAST({whole} AS BIGINT) AS VARCHAR) || '.' || "
            f"CAST(CAST(FLOOR({rest}) AS BIGINT) AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"
        )
    return f"CAST({value} AS VARCHAR)"


def canonical_event_sql(operation: str, columns: Mapping[str, str], renames: Mapping[str, str] | None = None) -> str:
    """The canonical text of an event that knows `columns` (name -> type), which are columns of its row.

    The order of the declared columns does not matter. Unknown columns are left out. NULL is `name~`. `renames` has the
    original names of renamed columns, so that renaming a column does not change any event.
    """
    column_by_event_name = {(renames or {}).get(name, name): name for name in columns}
    parts = []
    for event_name, name in sorted(column_by_event_name.items()):
        value, null = quote_literal(f"|{event_name}="), quote_literal(f"|{event_name}~")
        parts.append(f"COALESCE({value} || {canonical_sql(quote(name), columns[name])}, {null})")
    return _concat_sql([operation, *parts])


def _concat_sql(texts: Sequence[str]) -> str:
    """The texts in one, as a balanced tree: from left to right, each `||` would copy all that stands before it."""
    if len(texts) <= _CHAIN:
        return " || ".join(texts)
    middle = len(texts) // 2
    return f"({_concat_sql(texts[:middle])}) || ({_concat_sql(texts[middle:])})"


def event_hash_sql(operation: str, columns: Mapping[str, str], renames: Mapping[str, str] | None = None) -> str:
    """The hash of an event: MD5 of its canonical text."""
    return f"MD5({canonical_event_sql(operation, columns, renames)})"
