"""The differences between the SQL of an engine and portable SQL: a value that the engine passes to `render`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headwater.dtypes import PORTABLE_SQL

Template = str | Callable[[list[str], Mapping[str, Any]], str]
"""The SQL of a pattern: a template, or a function of the SQL of the pattern's arguments and its words."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Dialect:
    """The SQL of one engine. There is one value for each engine, compared by identity."""

    name: str
    """The name of the dialect in sqlglot."""
    functions: Mapping[str, Template] = field(default_factory=dict)
    """The SQL for each pattern that sqlglot would leave unchanged or render inexactly, see `dialect.patterns`."""
    type_names: Mapping[str, str] = field(default_factory=dict)
    """Kind of value (`dialect.types`) -> type in a cast, where the meaning of sqlglot's type is not fixed."""
    session_statements: tuple[str, ...] = ()
    """Statements to run at the start of a session. They define what `functions` call."""
    verbatim: bool = False
    """Whether `functions` are inserted as text. Parsing long texts again takes longer than the rest of the rendering."""


PORTABLE = Dialect(name=PORTABLE_SQL)
"""The dialect of portable SQL. It is never rendered."""
