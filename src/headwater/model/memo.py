"""Results of pure functions, kept by a key that decides them, so that a process or a file can keep them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """Results by key, and which of them were used. Only results are kept, never errors. Threads may share it."""

    def __init__(self) -> None:
        self._stored: dict[str, T] = {}
        self._used: dict[str, T] = {}

    def add(self, stored: Mapping[str, T]) -> None:
        """Add results that were stored."""
        self._stored = {**self._stored, **stored}

    def get(self, key: str) -> T | None:
        """The result for a key, or None."""
        result = self._used.get(key)
        if result is None and (result := self._stored.get(key)) is not None:
            self._used[key] = result
        return result

    def keep(self, key: str, result: T) -> T:
        """Keep a result, and return it."""
        self._used[key] = result
        return result

    def copy_used(self) -> dict[str, T]:
        """The results that were used since the process started."""
        return dict(self._used)

    def has_news(self) -> bool:
        """Whether a result was used that was not stored."""
        return not self._used.keys() <= self._stored.keys()
