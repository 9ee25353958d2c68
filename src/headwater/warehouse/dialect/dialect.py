"""The SQL of an engine, as far as it differs from portable SQL: a value that the engine hands to `render`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headwater.dtypes import PORTABLE_SQL

Template = str | Callable[[list[str], Mapping[str, Any]], str]
"""The text of a phrase: a template, or a function of the texts in the phrase and its words."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Dialect:
    """The SQL of one engine. There is one value for each engine, compared by identity."""

    name: str
    """The name by which sqlglot knows the dialect."""
    functions: Mapping[str, Template] = field(default_factory=dict)
    """The text for each phrase that sqlglot would pass on unchanged or render inexactly, see `dialect.patterns`."""
    type_names: Mapping[str, str] = field(default_factory=dict)
    """By kind of value (`dialect.types`): the type of a cast, where the one that sqlglot renders has no fixed meaning."""
    session_statements: tuple[str, ...] = ()
    """Statements that a session begins with: they define what `functions` call."""
    verbatim: bool = False
    """Whether `functions` are inserted as text. To parse long texts again takes longer than the rest of the rendering."""


PORTABLE = Dialect(name=PORTABLE_SQL)
"""The dialect of the SQL that is written here. It is never rendered."""
