"""Describes the requests of a plan: how many it sends, how long the limits make them last, and which are not due yet."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from headwater.batch import Feed
from headwater.plan.reads import find_readable_end, is_parent_due, is_recent
from headwater.plan.state import FeedState, RunRequest
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
        size = _get_page_size(state)
        pages = math.ceil(rows.get(read.batch.id, 1) / size) if size else 1
        collections = _count_collections(read, state)
        # A complete read is reconciled with the count of the service.
        has_count = state.resource.count is not None and read.batch.purpose != "changes"
        requests[read.batch.feed.connection] += max(pages, collections) + (collections if has_count else 0)
    return requests


def describe_requests(connection: str, requests: int, *, per_minute: int) -> str:
    """`desk: at least 68 requests, which take at least 2 minutes at 60 a minute`."""
    noun = "request" if requests == 1 else "requests"
    minutes = math.ceil(requests / per_minute)
    last = f"which take at least {minutes} minutes at {per_minute} a minute" if minutes > 1 else "within a minute"
    return f"{connection}: at least {requests:,} {noun}, {last}"


def describe_recent(feeds: Iterable[FeedState], request: RunRequest) -> tuple[str, ...]:
    """One note for each connection, about resources whose changes are not requested yet because of `every`."""
    by_connection: dict[str, list[str]] = defaultdict(list)
    for feed in feeds if request.includes_layer("raw") else ():
        until = find_readable_end(feed, request)
        if until is not None and is_recent(feed, request, until):
            by_connection[feed.feed.connection].append(f"{feed.feed.resource} (every {feed.resource.every})")
    return tuple(
        f"{connection}: not due yet: {', '.join(names)}; `--resource NAME` reads one now"
        for connection, names in sorted(by_connection.items())
    )


def _get_page_size(state: FeedState) -> int:
    """The page size that is requested, or 0 if the service decides."""
    paging = state.resource.paging
    is_requested = getattr(paging, "size_param", "") or getattr(paging, "text", "")
    return getattr(paging, "size", 0) if is_requested else 0


def _count_collections(read: Extract, state: FeedState) -> int:
    """How many collections a read requests: one, or one below each parent."""
    if not read.open:
        return max(1, len(read.parents))
    due = (
        windows for windows in state.parents.values() if read.batch.purpose != "changes" or is_parent_due(read, windows)
    )
    return sum(1 for _ in due)
