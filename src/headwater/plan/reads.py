"""Plans the reads of a feed: unfinished reads first, then missing windows, then due snapshots and sweeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from headwater.batch import Batch, Window, create_batch
from headwater.clock import EPOCH, parse_span
from headwater.plan.state import FeedState, RunRequest
from headwater.plan.step import Extract
from headwater.windows import find_missing_windows, split_window
from headwater.wire.cursor import ChangeFilter, Delta, FullSnapshot, IdSweep


def plan_reads(
    state: FeedState, request: RunRequest, *, until: datetime | None, has_new_parents: bool
) -> tuple[Extract, ...]:
    """The reads of a feed, in order. Without `until` (the time of the service is unknown), only unfinished reads.

    `has_new_parents`: whether the same plan reads the parent resource, so that there may be new parents.
    """
    # A batch of records requested by id belongs to the complete read that lacks them, which requests them again.
    begun = (row for row in state.list_unfinished("extracting") if row.batch.purpose != "verify")
    resumed = tuple(_resume_read(state, row.batch, row.parents) for row in begun)
    if until is None:
        return resumed
    new_reads = (
        *_plan_changes(state, request, until=until, has_new_parents=has_new_parents),
        *_plan_delta(state, request, until),
        *_plan_snapshot(state, request, until),
        *_plan_sweep(state, request, until),
    )
    return (*resumed, *new_reads)


def expand_step(
    step: Extract, state: FeedState, *, keys: Sequence[str], changed_at: Mapping[str, datetime] = MappingProxyType({})
) -> tuple[Extract, ...]:
    """The reads of an `open` step, when the keys of the parents and the state of the feed are known.

    `changed_at`: the end of the newest window in which a parent has changed, by key; see `unchanged_by` of the step.
    Parents with the same missing windows are read in one batch. Committed windows are not read again, and unfinished
    reads resume. A second call returns the reads that are still to do.
    """
    begun = tuple(_resume_read(state, row.batch, row.parents) for row in state.list_unfinished("extracting"))
    purpose = step.batch.purpose
    if purpose != "changes" or step.again:
        ours = any(read.batch.id == step.batch.id for read in begun)
        return begun if ours or not keys else (*begun, replace(step, parents=tuple(keys), resume=False))
    groups: dict[Window, list[str]] = defaultdict(list)
    for key in dict.fromkeys(keys):
        if not is_parent_due(step, state.parents.get(key, ()), changed_at.get(key)):
            continue
        underway = [read.batch.window for read in begun if read.batch.purpose == purpose and key in read.parents]
        for window in find_missing_windows(step.batch.window, (*state.parents.get(key, ()), *underway)):
            groups[window].append(key)
    return (
        *begun,
        *(
            replace(_create_read(state, window), parents=tuple(groups[window]))
            for window in sorted(groups, key=_get_order)
        ),
    )


def is_parent_due(step: Extract, committed: Sequence[Window], changed_at: datetime | None = None) -> bool:
    """Whether an open step reads a parent: it is new, it has changed since its last read, or that is long ago."""
    if step.unchanged_by is None or not committed:
        return True
    end = max(window.until for window in committed)
    return end <= step.unchanged_by or (changed_at is not None and changed_at > end)


def find_readable_end(state: FeedState, request: RunRequest) -> datetime | None:
    """The end of the span that can be read: the time of the service minus the hold-back. None if the time is unknown."""
    now = request.source_times.get(state.feed.connection)
    return None if now is None else now - state.hold_back


def _plan_changes(
    state: FeedState, request: RunRequest, *, until: datetime, has_new_parents: bool
) -> tuple[Extract, ...]:
    if not isinstance(state.resource.cursor, ChangeFilter):
        return ()
    window = _select_requested_window(state, request, until)
    if window is None:
        return ()
    if state.resource.parent is not None:
        return _plan_nested(state, request, window, has_new_parents=has_new_parents)
    if is_recent(state, request, until):
        return ()
    begun = [row.batch.window for row in state.list_unfinished("extracting") if row.batch.purpose == "changes"]
    known = begun if request.force else [*state.committed, *begun]
    return tuple(
        _create_read(state, chunk)
        for span in find_missing_windows(window, known)
        for chunk in _split_span(state, request, span, until)
    )


def _select_requested_window(state: FeedState, request: RunRequest, until: datetime) -> Window | None:
    since = max(state.begins, request.since or EPOCH)
    end = min(until, request.until or until)
    return Window(since=since, until=end) if since < end else None


def _split_span(state: FeedState, request: RunRequest, span: Window, until: datetime) -> tuple[Window, ...]:
    cursor = state.resource.cursor
    if request.chunk is None and isinstance(cursor, ChangeFilter) and not cursor.has_end:
        # Each chunk would read everything after its start.
        return (span,)
    chunk = request.chunk or parse_span(state.resource.chunk or "30d")
    return split_window(span, chunk=chunk, look_back=parse_span(state.resource.look_back or "730d"), until=until)


def _plan_nested(
    state: FeedState, request: RunRequest, requested: Window, *, has_new_parents: bool
) -> tuple[Extract, ...]:
    """One open step. It is not split into chunks, because each chunk would need a request for every parent."""
    assert state.resource.parent is not None
    every = parse_span(state.resource.parent.every)
    is_limited = bool(every) and not _is_requested_by_name(state, request)
    lacking = not state.parents or any(find_missing_windows(requested, windows) for windows in state.parents.values())
    step = replace(
        _create_read(state, requested),
        again=request.force,
        unchanged_by=requested.until - every if is_limited else None,
    )
    return (step,) if has_new_parents or lacking or request.force else ()


def _is_requested_by_name(state: FeedState, request: RunRequest) -> bool:
    """Whether the request names this resource, or a span of time. Then it is read, however recent its last read is."""
    return request.has_window or state.feed.resource in request.resources


def is_recent(state: FeedState, request: RunRequest, until: datetime) -> bool:
    """Whether changes are not requested yet: everything up to less than `every` ago is committed, without a gap."""
    if state.resource.parent is not None or len(state.committed) != 1 or _is_requested_by_name(state, request):
        return False
    return until < state.committed[0].until + parse_span(state.resource.every)


def _plan_delta(state: FeedState, request: RunRequest, until: datetime) -> tuple[Extract, ...]:
    """One read from the last link on, or a complete read if there is none."""
    cursor = state.resource.cursor
    if not isinstance(cursor, Delta) or until <= EPOCH or state.list_unfinished("extracting"):
        return ()
    ends = [window.until for window in state.committed]
    last = max([*ends, *([state.last_snapshot] if state.last_snapshot else [])], default=None)
    if last is None or not state.has_link or request.force or request.sweep:
        return (_create_read(state, Window(since=EPOCH, until=until), purpose="snapshot"),)
    is_due = last + parse_span(cursor.every) <= until or _is_requested_by_name(state, request)
    return (_create_read(state, Window(since=last, until=until)),) if is_due and last < until else ()


def _plan_snapshot(state: FeedState, request: RunRequest, until: datetime) -> tuple[Extract, ...]:
    cursor = state.resource.cursor
    if not isinstance(cursor, FullSnapshot):
        return ()
    if not _is_due(state, "snapshot", every="0s" if request.force or request.sweep else cursor.every, until=until):
        return ()
    return (_create_read(state, Window(since=EPOCH, until=until), purpose="snapshot"),)


def _plan_sweep(state: FeedState, request: RunRequest, until: datetime) -> tuple[Extract, ...]:
    deletes = state.resource.deletes
    if request.has_window or not isinstance(deletes, IdSweep):
        return ()
    if not _is_due(state, "sweep", every="0s" if request.sweep else deletes.every, until=until):
        return ()
    return (_create_read(state, Window(since=EPOCH, until=until), purpose="sweep"),)


def _is_due(state: FeedState, purpose: str, *, every: str, until: datetime) -> bool:
    if until <= EPOCH or any(row.batch.purpose == purpose for row in state.list_unfinished("extracting")):
        return False
    last = state.last_snapshot if purpose == "snapshot" else state.last_sweep
    return last is None or last + parse_span(every) <= until


def _create_read(state: FeedState, window: Window, *, purpose: str = "changes") -> Extract:
    # a repeated read of a window is a new batch, so that the files of the first batch do not change
    attempt = state.attempts.get((purpose, window), 0) + 1
    parent = state.resource.parent
    batch = create_batch(state.feed, window, purpose=purpose, attempt=attempt)
    return Extract(batch=batch, parent=parent.resource if parent else "")


def _resume_read(state: FeedState, batch: Batch, parents: tuple[str, ...]) -> Extract:
    parent = state.resource.parent
    return Extract(batch=batch, resume=True, parent=parent.resource if parent else "", parents=parents)


def _get_order(window: Window) -> tuple[datetime, datetime]:
    return window.since, window.until
