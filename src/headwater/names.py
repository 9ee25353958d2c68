"""Which names are allowed. Validated once, here; quoted everywhere they meet SQL or a path."""

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
    """`text`, if it may name an entity, a dimension, a fact or a column of ours; ValueError otherwise."""
    return _check_pattern(_NAME, text, "lower-case letters, digits and _, starting with a letter, at most 48")


def check_slug(text: str) -> str:
    """`text`, if it may name a tenant or a connection (hyphens allowed); ValueError otherwise."""
    return _check_pattern(
        _SLUG, text, "lower-case letters, digits, _ and -, starting with a letter or digit, at most 48"
    )


def check_field(text: str) -> str:
    """`text`, if it may name a column in the service's own spelling; ValueError otherwise."""
    return _check_pattern(_FIELD, text, "letters, digits and _, starting with a letter or _, at most 128")


Name = Annotated[str, AfterValidator(check_name)]
"""A name of ours: entity, dimension, fact, lookup, resource, column."""

Slug = Annotated[str, AfterValidator(check_slug)]
"""A tenant or connection."""


def quote(identifier: str) -> str:
    """`identifier` as SQL on every engine that takes double quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A hint: the nearest known name, or all of them when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"one of: {', '.join(names[:20])}" if names else ""


def _check_pattern(pattern: re.Pattern[str], text: str, rule: str) -> str:
    if not pattern.fullmatch(text):
        msg = f"`{text}` is not a valid name ({rule})"
        raise ValueError(msg)
    return text
