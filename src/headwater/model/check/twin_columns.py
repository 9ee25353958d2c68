"""Finds fields that would be the same column of bronze. Engines do not distinguish the case of names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from headwater.wire.records import split_path


def find_twin_columns(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of fields, by dotted path, whose columns have the same name: `Id` and `id`, `a.b` and `a_b`."""
    seen: dict[str, str] = {}
    for path in paths:
        column = "_".join(split_path(path)).casefold()
        if column in seen:
            yield seen[column], path
        seen.setdefault(column, path)
