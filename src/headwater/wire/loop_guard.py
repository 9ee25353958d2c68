"""Detects paging loops: a position or a page that occurs twice in a read. All kinds of paging use it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from headwater.errors import PermanentError

_EMPTY_PAGES = 10
"""The maximum number of empty pages in a row that announce another page."""
_BEGINNING = 1 << 16
"""The number of hashed bytes of a page. Pages that differ usually differ there."""


class LoopGuard:
    """The requested positions, and a checksum of each page."""

    def __init__(self, positions: Iterable[str] = (), *, last: bytes = b"") -> None:
        self._positions = set(positions)
        self._pages = {_compute_checksum(last)} if last else set()
        self._empty = 0

    def add_page(self, position: str | None, lines: bytes) -> None:
        """Record a page and the next position. Raise PermanentError if either occurred before."""
        if position is not None and position in self._positions:
            raise PermanentError(
                "paging loop: the next page was already read",
                details=f"next position `{position[:200]}`",
                hint="the position was not advanced; ask the vendor, or declare another `paging:` for the resource",
            )
        # Empty pages are equal, which is fine unless there are too many.
        self._empty = 0 if lines else self._empty + 1
        if position is not None and self._empty > _EMPTY_PAGES:
            raise PermanentError(
                "the service reports more records but sends none",
                details=f"{self._empty} empty pages in a row",
                hint="the position was not advanced; ask the vendor, or declare another `paging:` for the resource",
            )
        # Links and tokens may differ each time and still loop. Only the pages show it.
        checksum = _compute_checksum(lines)
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
        """Clear the pages, because another collection may contain the same records."""
        self._pages.clear()
        self._empty = 0


def _compute_checksum(lines: bytes) -> tuple[int, int, int]:
    """The length, a checksum of all and a hash of the start: as reliable as a digest here, at a tenth of the cost."""
    return len(lines), zlib.crc32(lines), hash(lines[:_BEGINNING])
