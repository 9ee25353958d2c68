"""A condition that a person types: one expression that is true or false of a row, and nothing beside it."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from headwater.errors import WarehouseError


def parse_condition(text: str, dialect: str, *, where: str) -> str:
    """`text` as SQL that may follow WHERE or AND; WarehouseError when it is more, or less, than one expression."""
    try:
        found = [tree for tree in sqlglot.parse(f"SELECT 1 WHERE {text}", dialect=dialect) if tree is not None]
    except SqlglotError as error:
        raise _refusal_error(where, f"{text}\n{str(error).splitlines()[0]}") from error
    condition = found[0].args.get("where") if len(found) == 1 and isinstance(found[0], exp.Select) else None
    # What came after the expression (ORDER BY, LIMIT, UNION ...) has become a part of the statement.
    if condition is None or any(value for name, value in found[0].args.items() if name not in {"expressions", "where"}):
        raise _refusal_error(where, text)
    if inner := condition.find(exp.Query):
        raise _refusal_error(where, inner.sql(dialect=dialect))
    return f"({condition.this.sql(dialect=dialect, comments=False)})"


def _refusal_error(where: str, details: str) -> WarehouseError:
    hint = "use a condition as after WHERE, e.g. name = 'Bonus'; for whole statements, use `headwater query`"
    return WarehouseError(
        "a condition must be one expression over the columns of the table", where=where, details=details, hint=hint
    )
