"""Compares the time span of a request with what can be read: an impossible span is refused, a limited one gets a note."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.clock import EPOCH, format_instant
from headwater.errors import DeclarationError
from headwater.plan.reads import find_readable_end
from headwater.plan.state import FeedState, RunRequest
from headwater.wire.cursor import ChangeFilter


def check_time_span(feeds: Iterable[FeedState], request: RunRequest) -> None:
    """Raise DeclarationError if no requested feed can have a change in the requested time span."""
    read_by_change = [feed for feed in feeds if isinstance(feed.resource.cursor, ChangeFilter)]
    if not read_by_change or not request.includes_layer("raw"):
        return
    _refuse_future(read_by_change, request)
    _refuse_past(read_by_change, request)


def describe_limits(feeds: Iterable[FeedState], request: RunRequest) -> tuple[str, ...]:
    """Notes about the parts of the requested time span that are not read, by connection."""
    notes = {
        (feed.feed.connection, note): None
        for feed in (feeds if request.includes_layer("raw") else ())
        for note in (_describe_start(feed, request), _describe_end(feed, request))
        if note
    }
    return tuple(f"{connection}: {note}" for connection, note in sorted(notes))


def _refuse_future(feeds: list[FeedState], request: RunRequest) -> None:
    times = [now for feed in feeds if (now := request.source_times.get(feed.feed.connection)) is not None]
    if request.since is None or not times or len(times) < len(feeds) or request.since < max(times):
        return
    raise DeclarationError(
        "The time span starts in the future.",
        where="--since",
        details=format_instant(request.since),
        hint=f"use an instant before {format_instant(max(times))}, the current time of the service",
    )


def _refuse_past(feeds: list[FeedState], request: RunRequest) -> None:
    first = min(feeds, key=lambda feed: feed.begins)
    if request.until is None or request.until > first.begins:
        return
    if first.begins == EPOCH:
        hint = "the oldest records count as changed in 1970"
    else:
        hint = f"to read older changes, set an earlier `since:` for the connection {first.feed.connection}"
    raise DeclarationError(
        "The time span ends before the first change that is read.",
        where="--until",
        details=f"{format_instant(request.until)}; the connection begins at {format_instant(first.begins)}",
        hint=hint,
    )


def _describe_start(feed: FeedState, request: RunRequest) -> str:
    now = request.source_times.get(feed.feed.connection)
    if now is not None and now <= feed.begins and isinstance(feed.resource.cursor, ChangeFilter):
        return f"`since:` of the connection, {format_instant(feed.begins)}, is in the future: no change is read"
    if request.since is None or request.since >= feed.begins or not isinstance(feed.resource.cursor, ChangeFilter):
        return ""
    return (
        f"requested since {format_instant(request.since)}, but `since:` of the connection is "
        f"{format_instant(feed.begins)}: nothing older is read"
    )


def _describe_end(feed: FeedState, request: RunRequest) -> str:
    until = find_readable_end(feed, request)
    if until is None:
        return "the time of the service is unknown, so no new window is read"
    if request.until is not None and request.until > until:
        return f"requested until {format_instant(request.until)}, settled until {format_instant(until)}"
    return ""
