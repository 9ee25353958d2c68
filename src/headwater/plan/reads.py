"""Which reads a feed needs: what is unfinished first, then what is missing, then what is due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from headwater.batch import Batch, Window, create_batch
from headwater.clock import EPOCH, parse_span
from headwater.plan.state import FeedState, Request
from headwater.plan.step import Extract
from headwater.windows import missing_windows, split_window
from headwater.wire.cursor import ChangeFilter, FullSnapshot, IdSweep


def reads_of(state: FeedState, request: Request, *, until: datetime | None, news: bool) -> tuple[Extract, ...]:
    """The reads of a feed, in order. Without `until` (nobody knows the service's time) only what was begun goes on.

    `news`: whether its parent resource is read in the same plan, so that there may be parents nobody knows yet.
    """
    # Records that are asked for by id belong to the complete read that missed them, which asks for them again.
    begun = (row for row in state.at("extracting") if row.batch.purpose != "verify")
    resumed = tuple(_resumed(state, row.batch, row.parents) for row in begun)
    if until is None:
        return resumed
    fresh = (
        *_changes(state, request, until=until, news=news),
        *_snapshot(state, request, until),
        *_sweep(state, request, until),
    )
    return (*resumed, *fresh)


def spread(step: Extract, state: FeedState, *, keys: Sequence[str]) -> tuple[Extract, ...]:
    """The reads that an `open` step stands for, now that the keys of the parents and the feed's state are known.

    Parents that miss the same windows are read in one batch. What is committed is not read again, and what was begun
    goes on: asked a second time, it tells what the first time left undone.
    """
    begun = tuple(_resumed(state, row.batch, row.parents) for row in state.at("extracting"))
    purpose = step.batch.purpose
    if purpose != "changes" or step.again:
        ours = any(read.batch.id == step.batch.id for read in begun)
        return begun if ours or not keys else (*begun, replace(step, parents=tuple(keys), resume=False))
    groups: dict[Window, list[str]] = defaultdict(list)
    for key in dict.fromkeys(keys):
        underway = [read.batch.window for read in begun if read.batch.purpose == purpose and key in read.parents]
        for window in missing_windows(step.batch.window, (*state.parents.get(key, ()), *underway)):
            groups[window].append(key)
    return (
        *begun,
        *(replace(_fresh(state, window), parents=tuple(groups[window])) for window in sorted(groups, key=_order)),
    )


def settled(state: FeedState, request: Request) -> datetime | None:
    """Until when the feed can be read: the service's time less the hold-back. None when nobody knows its time."""
    now = request.source_times.get(state.feed.connection)
    return None if now is None else now - state.hold_back


def _changes(state: FeedState, request: Request, *, until: datetime, news: bool) -> tuple[Extract, ...]:
    if not isinstance(state.resource.cursor, ChangeFilter):
        return ()
    asked = _asked(state, request, until)
    if asked is None:
        return ()
    if state.resource.parent is not None:
        return _below_parents(state, request, asked, news=news)
    begun = [row.batch.window for row in state.at("extracting") if row.batch.purpose == "changes"]
    known = begun if request.force else [*state.committed, *begun]
    return tuple(
        _fresh(state, window)
        for span in missing_windows(asked, known)
        for window in _pieces(state, request, span, until)
    )


def _asked(state: FeedState, request: Request, until: datetime) -> Window | None:
    since = max(state.begins, request.since or EPOCH)
    end = min(until, request.until or until)
    return Window(since=since, until=end) if since < end else None


def _pieces(state: FeedState, request: Request, span: Window, until: datetime) -> tuple[Window, ...]:
    chunk = request.chunk or parse_span(state.resource.chunk or "30d")
    return split_window(span, chunk=chunk, look_back=parse_span(state.resource.look_back or "730d"), until=until)


def _below_parents(state: FeedState, request: Request, asked: Window, *, news: bool) -> tuple[Extract, ...]:
    """One open step; not cut in chunks, for that would ask every parent anew for every chunk."""
    lacking = not state.parents or any(missing_windows(asked, windows) for windows in state.parents.values())
    return (replace(_fresh(state, asked), again=request.force),) if news or lacking or request.force else ()


def _snapshot(state: FeedState, request: Request, until: datetime) -> tuple[Extract, ...]:
    cursor = state.resource.cursor
    if not isinstance(cursor, FullSnapshot):
        return ()
    if not _due(state, "snapshot", every="0s" if request.force else cursor.every, until=until):
        return ()
    return (_fresh(state, Window(since=EPOCH, until=until), purpose="snapshot"),)


def _sweep(state: FeedState, request: Request, until: datetime) -> tuple[Extract, ...]:
    deletes = state.resource.deletes
    if request.narrowed or not isinstance(deletes, IdSweep):
        return ()
    if not _due(state, "sweep", every=deletes.every, until=until):
        return ()
    return (_fresh(state, Window(since=EPOCH, until=until), purpose="sweep"),)


def _due(state: FeedState, purpose: str, *, every: str, until: datetime) -> bool:
    if until <= EPOCH or any(row.batch.purpose == purpose for row in state.at("extracting")):
        return False
    last = state.last_snapshot if purpose == "snapshot" else state.last_sweep
    return last is None or last + parse_span(every) <= until


def _fresh(state: FeedState, window: Window, *, purpose: str = "changes") -> Extract:
    # a window that was begun before and is asked for again is another batch: the files of the first one stay what they are
    reading = state.readings.get((purpose, window), 0) + 1
    parent = state.resource.parent
    batch = create_batch(state.feed, window, purpose=purpose, attempt=reading)
    return Extract(batch=batch, parent=parent.resource if parent else "")


def _resumed(state: FeedState, batch: Batch, parents: tuple[str, ...]) -> Extract:
    parent = state.resource.parent
    return Extract(batch=batch, resume=True, parent=parent.resource if parent else "", parents=parents)


def _order(window: Window) -> tuple[datetime, datetime]:
    return window.since, window.until
