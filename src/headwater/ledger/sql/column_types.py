"""Column types that store the same values in every database."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

_ESCAPE = "\x1b"
_TO_STORED = str.maketrans({_ESCAPE: f"{_ESCAPE}1", "\x00": f"{_ESCAPE}0"})


class LedgerText(TypeDecorator[str]):
    """Text of any length. Postgres stores no NUL, which a key or a field name of a service may contain, so it is escaped."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None] | None:
        """Escapes text for Postgres."""
        return None if dialect.name == "sqlite" else _escape

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], str | None] | None:
        """Undoes `bind_processor`."""
        del coltype
        return None if dialect.name == "sqlite" else _restore


def _escape(text: str | None) -> str | None:
    return None if text is None else text.translate(_TO_STORED)


def _restore(text: str | None) -> str | None:
    if text is None or _ESCAPE not in text:
        return text
    return text.replace(f"{_ESCAPE}0", "\x00").replace(f"{_ESCAPE}1", _ESCAPE)
