"""Estimates how many requests a plan sends to each service, and how long the request limits make them last."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from headwater.batch import Feed
from headwater.plan.reads import is_parent_due
from headwater.plan.state import FeedState
from headwater.plan.step import Extract


def estimate_requests(
    reads: Iterable[Extract], feeds: Mapping[Feed, FeedState], rows: Mapping[str, int]
) -> Counter[str]:
    """The least number of requests, by connection.

    `rows` is the expected number of records of complete reads, by batch id. A read of changes counts as one page, because
    nobody knows how much has changed. Below parents, those count that are known and due.
    """
    requests: Counter[str] = Counter()
    for read in reads:
        state = feeds[read.batch.feed]
        size = getattr(state.resource.paging, "size", 0)
        pages = math.ceil(rows.get(read.batch.id, 1) / size) if size else 1
        collections = _count_collections(read, state)
        # A complete read is reconciled with the count of the service.
        has_count = state.resource.count is not None and read.batch.purpose != "changes"
        requests[read.batch.feed.connection] += max(pages, collections) + (collections if has_count else 0)
    return requests


def describe_requests(connection: str, requests: int, *, per_minute: int) -> str:
    """`psa: at least 68 requests, which take at least 2 minutes at 60 a minute`."""
    noun = "request" if requests == 1 else "requests"
    minutes = math.ceil(requests / per_minute)
    last = f"which take at least {minutes} minutes at {per_minute} a minute" if minutes > 1 else "within a minute"
    return f"{connection}: at least {requests:,} {noun}, {last}"


def _count_collections(read: Extract, state: FeedState) -> int:
    """How many collections a read requests: one, or one below each parent."""
    if not read.open:
        return max(1, len(read.parents))
    due = (
        windows for windows in state.parents.values() if read.batch.purpose != "changes" or is_parent_due(read, windows)
    )
    return sum(1 for _ in due)
