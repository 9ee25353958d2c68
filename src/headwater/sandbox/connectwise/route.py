"""Routes: the collection and the record that a path refers to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.sandbox.connectwise.collection import Collection
from headwater.sandbox.connectwise.state import PsaState

BASE = "/v4_6_release/apis/3.0"
"""Path prefix of the API."""

_ADDITIONS = "finance/agreements/additions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a path refers to."""

    pattern: str
    """The path with `{id}` instead of numbers."""
    collection: Collection[Any] | None = None
    ident: int | None = None
    parent: int | None = None
    is_count: bool = False
    is_system_info: bool = False

    @property
    def fault_path(self) -> str:
        """The path that a fault uses for this route."""
        return self.collection.path if self.collection else self.pattern


def find_route(state: PsaState, path: str) -> Route:
    """Return the route of a path. It has no collection if the path is unknown."""
    parts = path.removeprefix(BASE).strip("/").split("/")
    pattern = "/".join("{id}" if part.isdecimal() else part for part in parts)
    if pattern == "system/info":
        return Route(pattern=pattern, is_system_info=True)
    rest, ident, is_count = parts, None, False
    if parts[-1] == "count":
        rest, is_count = parts[:-1], True
    elif parts[-1].isdecimal():
        rest, ident = parts[:-1], int(parts[-1])
    collection, parent = _find_collection(state, rest)
    if ident is not None and parent is not None and collection and not _is_child(collection, ident, parent):
        collection = None
    return Route(pattern=pattern, collection=collection, ident=ident, parent=parent, is_count=is_count)


def _find_collection(state: PsaState, parts: list[str]) -> tuple[Collection[Any] | None, int | None]:
    if len(parts) == 4 and parts[2].isdecimal() and [*parts[:2], parts[3]] == _ADDITIONS.split("/"):
        parent = int(parts[2])
        return (state.additions, parent) if parent in state.agreements.rows else (None, None)
    path = "/".join(parts)
    return (None if path == _ADDITIONS else state.collections.get(path)), None


def _is_child(collection: Collection[Any], ident: int, parent: int) -> bool:
    record = collection.rows.get(ident)
    return record is not None and record.agreement_id == parent
