"""Where a read has been. A service that leads back there, or sends the same page again, is refused: once, for all."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from headwater.errors import PermanentError

_EMPTY_PAGES = 10
"""How many empty pages in a row may each say that another one follows."""
_BEGINNING = 1 << 16
"""Bytes of a page that are hashed: pages that differ do so there as a rule."""


class LoopGuard:
    """The positions that were asked for, and what each page held, as a checksum."""

    def __init__(self, positions: Iterable[str] = (), *, last: bytes = b"") -> None:
        self._positions = set(positions)
        self._pages = {_checksum(last)} if last else set()
        self._empty = 0

    def add_page(self, position: str | None, lines: bytes) -> None:
        """Note a page and the position that follows it; PermanentError if either was there before."""
        if position is not None and position in self._positions:
            raise PermanentError(
                "paging loop: the next page was already read",
                details=f"next position `{position[:200]}`",
                hint="the position was not advanced; ask the vendor, or declare another `paging:` for the resource",
            )
        # Two empty pages are alike and mean no harm, unless there is no end of them.
        self._empty = 0 if lines else self._empty + 1
        if position is not None and self._empty > _EMPTY_PAGES:
            raise PermanentError(
                "the service reports more records but sends none",
                details=f"{self._empty} empty pages in a row",
                hint="the position was not advanced; ask the vendor, or declare another `paging:` for the resource",
            )
        # Links and tokens may be others each time and lead in a circle: only what they lead to shows it.
        checksum = _checksum(lines)
        if lines and checksum in self._pages:
            raise PermanentError(
                "paging loop: the service sent the same page twice",
                details=f"{len(lines)} bytes, identical to an earlier page",
                hint="the position was not advanced; the service may ignore the paging parameter",
            )
        if position is not None:
            self._positions.add(position)
        self._pages.add(checksum)

    def reset(self) -> None:
        """Forget the pages: another collection begins, which may hold the same records."""
        self._pages.clear()
        self._empty = 0


def _checksum(lines: bytes) -> tuple[int, int, int]:
    """The length, a checksum of all and a hash of the beginning: as sure as a digest here, at a tenth of its cost."""
    return len(lines), zlib.crc32(lines), hash(lines[:_BEGINNING])
