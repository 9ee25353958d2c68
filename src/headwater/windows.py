"""Window algebra: which windows are missing, and how to split them. Pure. The ledger stores the committed windows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from headwater.batch import Window


def merge_windows(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Merge overlapping and adjacent windows. The result is sorted and covers the same instants."""
    result: list[Window] = []
    for window in sorted(windows, key=lambda window: (window.since, window.until)):
        if result and window.since <= result[-1].until:
            result[-1] = Window(since=result[-1].since, until=max(result[-1].until, window.until))
        else:
            result.append(window)
    return tuple(result)


def find_missing_windows(requested: Window, committed: Iterable[Window]) -> tuple[Window, ...]:
    """Return the parts of `requested` that no committed window covers, sorted."""
    result: list[Window] = []
    since = requested.since
    for window in merge_windows(committed):
        if window.until <= since:
            continue
        if window.since >= requested.until:
            break
        if window.since > since:
            result.append(Window(since=since, until=window.since))
        since = window.until
    if since < requested.until:
        result.append(Window(since=since, until=requested.until))
    return tuple(result)


def split_window(span: Window, *, chunk: timedelta, look_back: timedelta, until: datetime) -> tuple[Window, ...]:
    """Split `span` into windows of at most `chunk`, oldest first. Everything before `until - look_back` is one window.

    The old part has few changes and is not urgent, so it is one window. The recent part is split so that a read
    can resume: a read that fails loses at most one chunk, and each chunk is a window in the ledger.
    """
    if chunk <= timedelta(0):
        msg = f"a chunk must be longer than zero, not {chunk}"
        raise ValueError(msg)
    cut = min(max(span.since, _subtract_span(until, look_back)), span.until)
    result = [Window(since=span.since, until=cut)] if span.since < cut else []
    while cut < span.until:
        end = span.until if span.until - cut <= chunk else cut + chunk
        result.append(Window(since=cut, until=end))
        cut = end
    return tuple(result)


def _subtract_span(instant: datetime, span: timedelta) -> datetime:
    try:
        return instant - span
    except OverflowError:
        return datetime.min.replace(tzinfo=instant.tzinfo)
