"""The closed set of column types, and how each engine spells them.

A type is a plain string in declarations: `text`, `boolean`, `integer`, `bigint`, `double`, `decimal(18,4)`, `date`,
`timestamp` (UTC, microseconds), `json`. Bronze adds lists and structs, which stay text of JSON above it.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

SIMPLE = ("text", "boolean", "integer", "bigint", "double", "date", "timestamp", "json")
"""The types without parameters."""

_DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")
_WIDENS = {
    ("integer", "bigint"),
    ("integer", "double"),
    ("bigint", "double"),
    ("date", "timestamp"),
    *((narrow, "text") for narrow in SIMPLE if narrow != "text"),
}

DUCKDB = {
    "text": "VARCHAR",
    "boolean": "BOOLEAN",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "json": "VARCHAR",
}
"""DuckDB's spelling. Instants are kept as TIMESTAMP in UTC, so that no session setting can shift them."""


PORTABLE_SQL = "duckdb"
"""The dialect in which SQL is written here, and from which it is rendered for each engine: by sqlglot's name."""


def check_dtype(text: str) -> str:
    """`text` in its normal spelling, if it names a type; ValueError otherwise."""
    wanted = text.strip().lower()
    if wanted in SIMPLE:
        return wanted
    if found := _DECIMAL.fullmatch(wanted):
        precision, scale = int(found[1]), int(found[2])
        if 1 <= precision <= 38 and scale <= precision:
            return f"decimal({precision},{scale})"
    msg = f"`{text}` is not a type; one of: {', '.join(SIMPLE)}, decimal(p,s)"
    raise ValueError(msg)


DType = Annotated[str, AfterValidator(check_dtype)]
"""A column type, see this module."""


def render_dtype(dtype: str, table: dict[str, str]) -> str:
    """`dtype` as an engine spells it; `table` maps the simple types, decimals are spelled alike everywhere."""
    return table.get(dtype, dtype.upper())


def can_widen(old: str, new: str) -> bool:
    """Whether every value of `old` is a value of `new`, so that a stored column may be widened in place."""
    if old == new or (old, new) in _WIDENS:
        return True
    a, b = _DECIMAL.fullmatch(old), _DECIMAL.fullmatch(new)
    if a and b:
        return int(b[2]) >= int(a[2]) and int(b[1]) - int(b[2]) >= int(a[1]) - int(a[2])
    return bool(a and new in ("double", "text"))
