"""Validation of names, and quoting for SQL. Names are validated here once, and quoted wherever SQL uses them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator

_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def check_name(text: str) -> str:
    """Return `text` if it is a valid name of an entity, a dimension, a fact or a column. Raise ValueError otherwise."""
    return _check_pattern(_NAME, text, "lower-case letters, digits and _, starting with a letter, at most 48")


def check_slug(text: str) -> str:
    """Return `text` if it is a valid name of a tenant or a connection (hyphens allowed). Raise ValueError otherwise."""
    return _check_pattern(
        _SLUG, text, "lower-case letters, digits, _ and -, starting with a letter or digit, at most 48"
    )


def check_field(text: str) -> str:
    """Return `text` if it is a valid name of a column with the spelling of the service. Raise ValueError otherwise."""
    return _check_pattern(_FIELD, text, "letters, digits and _, starting with a letter or _, at most 128")


Name = Annotated[str, AfterValidator(check_name)]
"""The name of an entity, a dimension, a fact, a lookup, a resource or a column."""

Slug = Annotated[str, AfterValidator(check_slug)]
"""The name of a tenant or a connection."""


def quote(identifier: str) -> str:
    """Quote an SQL identifier with double quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Quote `text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint: the most similar known name, or all of them if none is similar."""
    names = sorted(known)
    matches = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if matches:
        return f"did you mean `{matches[0]}`?"
    return f"one of: {', '.join(names[:20])}" if names else ""


def _check_pattern(pattern: re.Pattern[str], text: str, rule: str) -> str:
    if not pattern.fullmatch(text):
        msg = f"`{text}` is not a valid name ({rule})"
        raise ValueError(msg)
    return text
