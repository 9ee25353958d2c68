"""The keys of the records that a nested resource hangs below, as bronze knows them."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.batch import Feed
from headwater.bronze.keys import read_keys
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, Ledger
from headwater.run.arrivals import files_of
from headwater.run.feeds import Source


def parent_keys(ledger: Ledger, lake: Lake, source: Source) -> list[str]:
    """The parents to read below, sorted: those of the newest complete read, and all that landed since."""
    parent = source.resource.parent
    if parent is None:
        return []
    feed = Feed(tenant=source.feed.tenant, connection=source.feed.connection, resource=parent.resource)
    rows = [row for row in ledger.batches(feed.tenant, feed=feed) if row.stage in ("transformed", "completed")]
    files = [file for row in _since_complete(rows) for file in files_of(row.batch, lake)]
    column = parent.field.replace(".", "_")
    return sorted(read_keys(files, column), key=lambda key: (len(key), key))


def _since_complete(rows: Iterable[BatchRow]) -> list[BatchRow]:
    """The newest complete read, and what was read or landed after it: older batches have nothing to add."""
    listed = list(rows)
    complete = [row for row in listed if row.batch.purpose in ("sweep", "snapshot")]
    if not complete:
        return listed
    newest = max(complete, key=lambda row: row.batch.window.until)
    return [
        row
        for row in listed
        if row is newest or row.batch.window.until > newest.batch.window.until or _later(row, newest)
    ]


def _later(row: BatchRow, than: BatchRow) -> bool:
    return row.started_at is not None and than.started_at is not None and row.started_at > than.started_at
