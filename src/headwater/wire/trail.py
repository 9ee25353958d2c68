"""Where a read has been. A service that leads back there, or sends the same page again, is refused: once, for all."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.errors import Refused


class Trail:
    """The positions that were asked for and the last page's bytes."""

    def __init__(self, positions: Iterable[str] = (), *, last: bytes = b"") -> None:
        self._positions = set(positions)
        self._last = last

    def step(self, position: str | None, lines: bytes) -> None:
        """Note a page and the position that follows it; Refused if either was there before."""
        if position is not None and position in self._positions:
            raise Refused(
                "the service repeats itself: its next page is one that was read already",
                saw=f"next position `{position[:200]}`",
                hint="nothing was advanced; ask the vendor, or name another `paging:` for the resource",
            )
        # Two empty pages are alike and mean no harm.
        if lines and lines == self._last:
            raise Refused(
                "the service repeats itself: it sent the same page twice",
                saw=f"{len(lines)} bytes, equal to the page before",
                hint="nothing was advanced; it may ignore the paging parameter",
            )
        if position is not None:
            self._positions.add(position)
        self._last = lines

    def turn(self) -> None:
        """Forget the last page: another collection begins, which may hold the same records."""
        self._last = b""
