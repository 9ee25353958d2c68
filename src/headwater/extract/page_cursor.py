"""Paging through a batch, over one collection or over the collection of each parent in turn. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from headwater.errors import StateError
from headwater.wire.message import Page
from headwater.wire.paging.kinds import Paging
from headwater.wire.paging.progress import BEGINNING, Progress, is_address


@dataclass(frozen=True, slots=True)
class PagePosition:
    """The parent of a collection, and the position in that collection."""

    parent: str | None
    position: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCursor:
    """Paging over the collections of a batch. A token is a text that identifies a page, and the ledger stores it.

    Without parents, the token is the position of the paging. With parents, it is JSON: the parent's key and the position.
    """

    paging: Paging
    nested: bool
    """Whether the resource is read for each record of a parent resource."""
    parents: tuple[str, ...] = ()
    first: str = ""
    """The position at which the read begins, if it is not the first page."""
    clean: Callable[[str], str] = str
    """Removes credentials from the URL of a next page that the service sent."""

    def start(self) -> str | None:
        """The token of the first page, or None if there are no parents."""
        if not self.nested:
            return self.first or self.paging.start()
        return _format_token(self.parents[0], self.paging.start()) if self.parents else None

    def parse_token(self, token: str) -> PagePosition:
        """Parse a token. Raise StateError if it is invalid."""
        if not self.nested:
            return PagePosition(None, self._clean_address(token))
        try:
            parent, position = json.loads(token)
        except ValueError:
            raise StateError("the stored position of a read is invalid", details=token[:200]) from None
        return PagePosition(str(parent), self._clean_address(str(position)))

    def find_next_token(self, token: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The token of the page after `page`, which was requested with `token`. None after the last page."""
        current = self.parse_token(token)
        position = self.paging.find_next_position(current.position, page, progress)
        if position is not None:
            position = self._clean_address(position)
        if current.parent is None:
            return position
        if position is not None:
            return _format_token(current.parent, position)
        index = self.parents.index(current.parent) + 1
        return _format_token(self.parents[index], self.paging.start()) if index < len(self.parents) else None

    def _clean_address(self, position: str) -> str:
        return self.clean(position) if is_address(position) else position


def _format_token(parent: str, position: str) -> str:
    return json.dumps([parent, position], ensure_ascii=False)
