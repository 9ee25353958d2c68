"""One spelling of a value for every engine, so that the same event has the same hash everywhere."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.names import literal, quote
from headwater.temporal.sql import micros_sql

_EXACT = 9007199254740992
"""2**53: below it a double's whole part fits a bigint, and a fraction times it is whole."""


def canonical_sql(value: str, dtype: str) -> str:
    """The canonical text of `value` (SQL); NULL stays NULL.

    Whole numbers as digits, truth as t or f, instants as microseconds since 1970, dates as ISO, decimals at their
    scale, texts behind their length so that no text can look like two. Doubles are their whole part and their
    fraction in units of 2**-53, which is exact from 1 up; below 1, differences under 1e-16 are not seen.
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


def canonical_event_sql(operation: str, columns: Mapping[str, str], called: Mapping[str, str] | None = None) -> str:
    """The canonical text of an event that knows `columns` (name -> type), which stand beside it under their names.

    The order in which columns are declared does not matter. An unknown column is not mentioned; NULL is `name~`.
    `called` says which are mentioned by another name: a column that was renamed makes no other event of any.
    """
    mentioned = {(called or {}).get(name, name): name for name in columns}
    pieces = [
        f"COALESCE({literal(f'|{said}=')} || {canonical_sql(quote(name), columns[name])}, {literal(f'|{said}~')})"
        for said, name in sorted(mentioned.items())
    ]
    return " || ".join([operation, *pieces])


def event_hash_sql(operation: str, columns: Mapping[str, str], called: Mapping[str, str] | None = None) -> str:
    """The hash of an event: MD5 of its canonical text."""
    return f"MD5({canonical_event_sql(operation, columns, called)})"
