"""Decides whether a read is proved complete, from its record count and the service's count. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCounts:
    """The counts of one read of all pages."""

    records: int
    """The number of distinct records that were read."""
    count_before: int | None = None
    """The service's count before the first page."""
    is_end_certain: bool = True
    """Whether the end of every collection is certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFailure:
    """Why a read is not proved complete."""

    count: int
    """The number of records concerned, as far as it is known."""
    detail: str
    retry: bool = False
    """Whether another read may succeed."""


def find_proof_failure(counts: ReadCounts, *, stable: bool, count: Callable[[], int | None]) -> ProofFailure | None:
    """Why a read is not proved complete, or None if it is.

    `stable` says whether records cannot move between pages. `count` requests the service's count again.

    If records can move, only the count before the read decides: a record that leaves during the read moves others to
    pages that were already read, and lowers a later count by as many. So a later count agrees with a read that lost one.
    """
    if not counts.is_end_certain:
        return ProofFailure(
            count=1, detail="the last page is full and has no link to a next page, so it may not be the last one"
        )
    if counts.count_before is None or counts.records == counts.count_before:
        return None
    if not stable and counts.records < counts.count_before:
        return _build_count_failure(counts.records, counts.count_before, retry=True)
    count_after = count()
    if count_after is None or counts.records == count_after:
        return (
            None if count_after is not None else _build_count_failure(counts.records, counts.count_before, retry=False)
        )
    return _build_count_failure(counts.records, count_after, retry=counts.records < count_after)


def _build_count_failure(records: int, counted: int, *, retry: bool) -> ProofFailure:
    detail = f"{records} records were read, but the service counts {counted}"
    return ProofFailure(count=abs(counted - records), detail=detail, retry=retry)
