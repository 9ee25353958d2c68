"""The way through all pages of a batch, over one collection or over that of each parent in turn. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from headwater.errors import StateError
from headwater.wire.message import Page
from headwater.wire.paging import BEGINNING, Paging, Progress, is_address


@dataclass(frozen=True, slots=True)
class PagePosition:
    """One stop on the way: whose collection, and the position in it."""

    parent: str | None
    position: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCursor:
    """Paging over the collections of a batch. A place is a text that the ledger keeps.

    Without parents a place is the paging's own position; with them it is JSON: the parent's key and the position.
    """

    paging: Paging
    nested: bool
    """Whether the resource hangs below another one."""
    parents: tuple[str, ...] = ()
    clean: Callable[[str], str] = str
    """Takes credentials out of an address that the service gave for the next page."""

    def start(self) -> str | None:
        """The first place; None when there is no parent to ask about."""
        if not self.nested:
            return self.paging.start()
        return _format_place(self.parents[0], self.paging.start()) if self.parents else None

    def parse_place(self, place: str) -> PagePosition:
        """What to ask at `place`."""
        if not self.nested:
            return PagePosition(None, self._clean_address(place))
        try:
            parent, position = json.loads(place)
        except ValueError:
            raise StateError("the stored position of a read is invalid", details=place[:200]) from None
        return PagePosition(str(parent), self._clean_address(str(position)))

    def after(self, place: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The place that follows the page read at `place`; None after the last one."""
        stop = self.parse_place(place)
        position = self.paging.after(stop.position, page, progress)
        if position is not None:
            position = self._clean_address(position)
        if stop.parent is None:
            return position
        if position is not None:
            return _format_place(stop.parent, position)
        following = self.parents.index(stop.parent) + 1
        return _format_place(self.parents[following], self.paging.start()) if following < len(self.parents) else None

    def _clean_address(self, position: str) -> str:
        return self.clean(position) if is_address(position) else position


def _format_place(parent: str, position: str) -> str:
    return json.dumps([parent, position], ensure_ascii=False)
