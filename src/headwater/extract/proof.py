"""Whether a reading is proved complete and stable. Pure: what came, held against what the service says there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCounts:
    """One reading of all pages."""

    came: int
    """How many different records came."""
    before: int | None = None
    """How many the service counted before the first page."""
    ended: bool = True
    """Whether the end of every collection is certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a reading is not proved."""

    count: int
    """How many records it is about, as far as one can tell."""
    detail: str
    retry: bool = False
    """Whether a further reading may do better."""


def find_doubt(reading: ReadCounts, *, stable: bool, count: Callable[[], int | None]) -> Doubt | None:
    """What is to be doubted of a reading; None when it is proved.

    `stable`: whether no record can slip between two pages. `count` asks the service once more.

    The count before is what tells where records may slip: one that goes while being paged moves others forward past the
    place we are at, and lowers a later count by just as much, so that a later count agrees with a read that lost one.
    """
    if not reading.ended:
        return Doubt(
            count=1, detail="the last page is full and has no link to a next page, so it may not be the last one"
        )
    if reading.before is None or reading.came == reading.before:
        return None
    if not stable and reading.came < reading.before:
        return _count_doubt(reading.came, reading.before, again=True)
    after = count()
    if after is None or reading.came == after:
        return None if after is not None else _count_doubt(reading.came, reading.before, again=False)
    return _count_doubt(reading.came, after, again=reading.came < after)


def _count_doubt(came: int, counted: int, *, again: bool) -> Doubt:
    detail = f"{came} records were read, but the service counts {counted}"
    return Doubt(count=abs(counted - came), detail=detail, retry=again)
