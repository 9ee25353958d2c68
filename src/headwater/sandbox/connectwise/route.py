"""Which collection, which record: what a path of the interface means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.sandbox.connectwise.collection import Collection
from headwater.sandbox.connectwise.state import Firm

BASE = "/v4_6_release/apis/3.0"
"""Where the interface begins."""

_ADDITIONS = "finance/agreements/additions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a path names."""

    pattern: str
    """The path with `{id}` in place of numbers."""
    collection: Collection[Any] | None = None
    ident: int | None = None
    parent: int | None = None
    counted: bool = False
    system_info: bool = False

    @property
    def fault_path(self) -> str:
        """What a fault calls the collection."""
        return self.collection.path if self.collection else self.pattern


def find_route(firm: Firm, path: str) -> Route:
    """What the path of a request names; a route without a collection, if it names nothing."""
    parts = path.removeprefix(BASE).strip("/").split("/")
    pattern = "/".join("{id}" if part.isdecimal() else part for part in parts)
    if pattern == "system/info":
        return Route(pattern=pattern, system_info=True)
    rest, ident, counted = parts, None, False
    if parts[-1] == "count":
        rest, counted = parts[:-1], True
    elif parts[-1].isdecimal():
        rest, ident = parts[:-1], int(parts[-1])
    collection, parent = _collection(firm, rest)
    if ident is not None and parent is not None and collection and not _belongs(collection, ident, parent):
        collection = None
    return Route(pattern=pattern, collection=collection, ident=ident, parent=parent, counted=counted)


def _collection(firm: Firm, parts: list[str]) -> tuple[Collection[Any] | None, int | None]:
    if len(parts) == 4 and parts[2].isdecimal() and [*parts[:2], parts[3]] == _ADDITIONS.split("/"):
        parent = int(parts[2])
        return (firm.additions, parent) if parent in firm.agreements.rows else (None, None)
    path = "/".join(parts)
    return (None if path == _ADDITIONS else firm.collections.get(path)), None


def _belongs(collection: Collection[Any], ident: int, parent: int) -> bool:
    record = collection.rows.get(ident)
    return record is not None and record.agreement_id == parent
