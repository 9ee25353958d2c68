"""An expression that was parsed and checked: SQL with placeholders for what depends on the declarations around it.

It depends only on the text of the expression, so it is computed once and can be stored (`run.declaration_cache`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a placeholder stands for: a column, or a call of a function that Headwater adds."""

    name: str
    """The name of the column, as written, or of the function in lower case."""
    arguments: tuple[str, ...] | None = None
    """The arguments of a function, as SQL with placeholders. None for a column."""


@dataclass(frozen=True, slots=True)
class ExpressionTemplate:
    """The SQL of an expression with placeholders, and the names that it uses."""

    sql: str
    """SQL for DuckDB, with `format_placeholder(n)` for the fragment `n`."""
    fragments: tuple[Fragment, ...]
    """The fragments. A later one may contain an earlier one as an argument, but not the reverse."""
    names: tuple[str, ...]
    """The names that the expression uses, as written, without duplicates."""
    classify_calls: tuple[tuple[str, str], ...]
    """The calls of `classify`: the classified expression, and the name of the rules."""
    casts: tuple[tuple[str, str], ...] = ()
    """The casts of a name: the name, and the wanted type in SQL."""


def format_placeholder(number: int) -> str:
    """The placeholder of a fragment in SQL."""
    return f'"{name_placeholder(number)}"'


def name_placeholder(number: int) -> str:
    """The name of a placeholder, without quotes."""
    return f"__{number}__"
