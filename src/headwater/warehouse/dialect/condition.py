"""Parses a condition that a user types: a single expression that is true or false for a row."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from headwater.errors import WarehouseError


def parse_condition(text: str, dialect: str, *, where: str) -> str:
    """Return `text` as SQL that can follow WHERE or AND. Raises WarehouseError unless it is exactly one expression."""
    try:
        trees = [tree for tree in sqlglot.parse(f"SELECT 1 WHERE {text}", dialect=dialect) if tree is not None]
    except SqlglotError as error:
        raise _build_condition_error(where, f"{text}\n{str(error).splitlines()[0]}") from error
    condition = trees[0].args.get("where") if len(trees) == 1 and isinstance(trees[0], exp.Select) else None
    # Text after the expression (ORDER BY, LIMIT, UNION ...) was parsed as another part of the statement.
    if condition is None or any(value for name, value in trees[0].args.items() if name not in {"expressions", "where"}):
        raise _build_condition_error(where, text)
    if inner := condition.find(exp.Query):
        raise _build_condition_error(where, inner.sql(dialect=dialect))
    return f"({condition.this.sql(dialect=dialect, comments=False)})"


def _build_condition_error(where: str, details: str) -> WarehouseError:
    hint = "use a condition as after WHERE, e.g. name = 'Bonus'; for whole statements, use `headwater query`"
    return WarehouseError(
        "a condition must be one expression over the columns of the table", where=where, details=details, hint=hint
    )
