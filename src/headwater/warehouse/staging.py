"""Tracks the temporary tables that a warehouse drops at the end of `with warehouse.staging():`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StagingScopes:
    """The names of the staged tables of a warehouse, by the scope that drops them."""

    def __init__(self) -> None:
        self._scopes: list[set[str]] = [set()]

    def add(self, name: str) -> None:
        """Record that a table was staged. If it replaces a table of an outer scope, it stays in that scope."""
        if not any(name in scope for scope in self._scopes):
            self._scopes[-1].add(name)

    def remove(self, name: str) -> str:
        """Record that a table is dropped; return its name."""
        for scope in self._scopes:
            scope.discard(name)
        return name

    @contextmanager
    def open(self, drop: Callable[..., None]) -> Iterator[None]:
        """Drop at the end the tables staged inside, with one call. After an error, the rollback of the transaction drops them."""
        self._scopes.append(set())
        depth = len(self._scopes)
        try:
            yield
        except BaseException:
            del self._scopes[depth - 1 :]
            raise
        drop(*sorted(self._scopes.pop()))
