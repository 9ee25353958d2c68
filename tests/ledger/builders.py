"""Batches, pages and a clock to try a ledger with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from headwater.batch import Batch, Feed, Window, create_batch
from headwater.ledger.base import Drift, Ledger, PageRow, RefusedRow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def make_feed(resource: str = "tickets", *, tenant: str = "acme") -> Feed:
    return Feed(tenant=tenant, connection="psa", resource=resource)


def make_window(since: int, until: int) -> Window:
    """Hours after noon."""
    return Window(since=NOON + timedelta(hours=since), until=NOON + timedelta(hours=until))


def make_batch(since: int = 0, until: int = 1, *, tenant: str = "acme", purpose: str = "changes") -> Batch:
    return create_batch(make_feed(tenant=tenant), make_window(since, until), purpose=purpose)


def make_page(number: int, *, rows: int = 10) -> PageRow:
    return PageRow(number=number, path=f"p/{number:06d}.jsonl.zst", rows=rows, size=100, next=str(number + 1))


def make_refusal(parcel: Batch, line: int = 3, *, value: str = "soon") -> RefusedRow:
    reason = {"field": "closedDate", "value": value, "rule": "timestamp"}
    return RefusedRow(
        id=f"{parcel.id}:{line}", batch_id=parcel.id, feed=parcel.feed, line=line, key="17", reasons=(reason,)
    )


DRIFT = Drift(field="colour", kind="new", detail="text", rows=10)


def extract_batch(ledger: Ledger, parcel: Batch) -> None:
    ledger.begin_batch(parcel)
    ledger.record_page(parcel, make_page(1))
    ledger.commit_window(parcel)


def land_batch(ledger: Ledger, parcel: Batch) -> None:
    extract_batch(ledger, parcel)
    ledger.record_landing(parcel, kept=9, refused=[make_refusal(parcel)], drift=[DRIFT])
