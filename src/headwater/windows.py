"""The algebra of windows: what is missing, and in which pieces to read it. Pure; what was committed is the ledger's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from headwater.batch import Window


def merge_windows(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same instants in as few windows as possible, sorted: those that overlap or touch become one."""
    out: list[Window] = []
    for window in sorted(windows, key=lambda window: (window.since, window.until)):
        if out and window.since <= out[-1].until:
            out[-1] = Window(since=out[-1].since, until=max(out[-1].until, window.until))
        else:
            out.append(window)
    return tuple(out)


def missing_windows(asked: Window, committed: Iterable[Window]) -> tuple[Window, ...]:
    """The parts of `asked` that no committed window covers, sorted."""
    out: list[Window] = []
    since = asked.since
    for window in merge_windows(committed):
        if window.until <= since:
            continue
        if window.since >= asked.until:
            break
        if window.since > since:
            out.append(Window(since=since, until=window.since))
        since = window.until
    if since < asked.until:
        out.append(Window(since=since, until=asked.until))
    return tuple(out)


def split_window(span: Window, *, chunk: timedelta, look_back: timedelta, until: datetime) -> tuple[Window, ...]:
    """`span` in pieces no longer than `chunk`, oldest first; what is older than `until - look_back` is one piece.

    Few records changed long ago and nobody waits for them: one piece. The near past is worth going on with in the
    middle: a read that dies loses a piece at most, and each piece is a window of its own in the ledger.
    """
    if chunk <= timedelta(0):
        msg = f"a chunk must be longer than zero, not {chunk}"
        raise ValueError(msg)
    cut = min(max(span.since, _earlier(until, look_back)), span.until)
    out = [Window(since=span.since, until=cut)] if span.since < cut else []
    while cut < span.until:
        end = span.until if span.until - cut <= chunk else cut + chunk
        out.append(Window(since=cut, until=end))
        cut = end
    return tuple(out)


def _earlier(instant: datetime, span: timedelta) -> datetime:
    try:
        return instant - span
    except OverflowError:
        return datetime.min.replace(tzinfo=instant.tzinfo)
