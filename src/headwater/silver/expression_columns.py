"""The columns in a compiled expression of a mapping. Loaded by need, because the parser takes time to import."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from headwater.dtypes import PORTABLE_SQL


def is_column(value: str) -> bool:
    """Whether an expression is a column, taken as it is."""
    return isinstance(sqlglot.parse_one(value, read=PORTABLE_SQL), exp.Column)


def find_columns(value: str) -> set[str]:
    """The names of the columns that an expression reads."""
    return {column.name for column in sqlglot.parse_one(value, read=PORTABLE_SQL).find_all(exp.Column)}
