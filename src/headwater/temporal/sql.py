"""Building blocks for the SQL texts of this room."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.names import quote, quote_literal

FOREVER = "TIMESTAMP '9999-12-31 00:00:00'"
"""The end of an open version, as SQL."""


def differs_sql(left: str, right: str) -> str:
    """Whether two values differ, where NULL equals NULL. Use only this to compare values."""
    return f"{left} IS DISTINCT FROM {right}"


def any_differs_sql(pairs: Iterable[tuple[str, str]]) -> str:
    """Whether the values of any pair differ. FALSE if there are no pairs."""
    return "(" + (" OR ".join(differs_sql(left, right) for left, right in pairs) or "FALSE") + ")"


def column_list_sql(columns: Iterable[str], relation: str = "") -> str:
    """Quoted column names, separated by commas, and qualified with `relation` if it is given."""
    return ", ".join(qualify(relation, column) for column in columns)


def qualify(relation: str, column: str) -> str:
    """A quoted column of a relation."""
    return f"{relation}.{quote(column)}" if relation else quote(column)


def knows_sql(column: str, relation: str = "") -> str:
    """Whether an event knows `column`: its `known_columns` is NULL (it knows all) or contains it."""
    known = qualify(relation, "known_columns")
    return f"({known} IS NULL OR STRPOS({known}, {quote_literal(f',{column},')}) > 0)"


def format_known_columns(columns: Iterable[str]) -> str:
    """The value of `known_columns` for `columns`."""
    return "," + "".join(f"{column}," for column in columns)


def timestamp_sql(micros: str) -> str:
    """The timestamp of microseconds since 1970."""
    return f"MAKE_TIMESTAMP({micros})"


def micros_sql(instant: str) -> str:
    """The microseconds since 1970 of a timestamp."""
    return f"EPOCH_US({instant})"


def indent(text: str) -> str:
    """Indent `text` by two spaces."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def with_steps(steps: Iterable[tuple[str, str]], last: str) -> str:
    """A SELECT over named steps (CTEs), in order."""
    ctes = ",\n".join(f"{name} AS (\n{indent(body)}\n)" for name, body in steps)
    return f"WITH {ctes}\n{last}"
