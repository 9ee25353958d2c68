"""The column types, and their names in each engine.

A type is a string in declarations: `text`, `boolean`, `integer`, `bigint`, `double`, `decimal(18,4)`, `date`,
`timestamp` (UTC, microseconds), `json`. Bronze adds lists and structs, which are JSON text in silver and gold.
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
"""The types in DuckDB. A timestamp is TIMESTAMP in UTC, so that no session setting can shift it."""


PORTABLE_SQL = "duckdb"
"""The sqlglot name of the dialect in which Headwater writes SQL. It is translated to the dialect of each engine."""


def check_dtype(text: str) -> str:
    """Return the normal form of `text` if it is a type. Raise ValueError otherwise."""
    name = text.strip().lower()
    if name in SIMPLE:
        return name
    if match := _DECIMAL.fullmatch(name):
        precision, scale = int(match[1]), int(match[2])
        if 1 <= precision <= 38 and scale <= precision:
            return f"decimal({precision},{scale})"
    msg = f"`{text}` is not a type; one of: {', '.join(SIMPLE)}, decimal(p,s)"
    raise ValueError(msg)


DType = Annotated[str, AfterValidator(check_dtype)]
"""A column type, see this module."""


def render_dtype(dtype: str, table: dict[str, str]) -> str:
    """The name of `dtype` in an engine. `table` maps the simple types. Decimals have the same name in all engines."""
    return table.get(dtype, dtype.upper())


def can_widen(old: str, new: str) -> bool:
    """Whether every value of `old` is a value of `new`, so that a stored column can be widened in place."""
    if old == new or (old, new) in _WIDENS:
        return True
    a, b = _DECIMAL.fullmatch(old), _DECIMAL.fullmatch(new)
    if a and b:
        return int(b[2]) >= int(a[2]) and int(b[1]) - int(b[2]) >= int(a[1]) - int(a[2])
    return bool(a and new in ("double", "text"))
