"""Renders a plan as text: what is read, landed, conformed and built."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import assert_never

from headwater.batch import Feed
from headwater.clock import format_instant
from headwater.plan.step import BuildDimension, Conform, Extract, Land, LoadFact, Plan, Publish, Step
from headwater.windows import merge_windows

_TITLES = ("Read", "Land", "Conform", "Build", "Load", "Publish")
_WIDTH = 110


def render_plan(plan: Plan) -> tuple[str, ...]:
    """The lines of `headwater plan`."""
    notes = tuple(f"note: {note}" for note in plan.notes)
    if not plan.steps:
        return (f"Nothing to do for {plan.tenant}: everything is up to date.", *notes)
    lines = [f"Plan for {plan.tenant}: {_render_count(len(plan.steps), 'step')}"]
    for title in _TITLES:
        steps = [step for step in plan.steps if _render_title(step) == title]
        if steps:
            lines += ["", f"{title} ({len(steps)})", *(f"  {line}" for line in _render_steps(steps))]
    return (*lines, *(("", *notes) if notes else ()))


def _render_title(step: Step) -> str:
    match step:
        case Extract():
            return "Read"
        case Land():
            return "Land"
        case Conform():
            return "Conform"
        case BuildDimension():
            return "Build"
        case LoadFact():
            return "Load"
        case Publish():
            return "Publish"
        case _:
            assert_never(step)


def _render_steps(steps: Sequence[Step]) -> list[str]:
    """Lines for the steps of one kind: a group for each feed, or the names."""
    reads = [step for step in steps if isinstance(step, Extract)]
    lands = [step for step in steps if isinstance(step, Land)]
    if reads:
        return _group_by_feed(
            [(feed, _render_reads(list(group))) for feed, group in groupby(reads, key=lambda read: read.batch.feed)]
        )
    if lands:
        return _group_by_feed(
            [(feed, [_render_lands(list(group))]) for feed, group in groupby(lands, key=lambda land: land.feed)]
        )
    return textwrap.wrap(", ".join(_render_name(step) for step in steps), _WIDTH)


def _render_name(step: Step) -> str:
    match step:
        case Conform():
            return f"{step.entity} (rebuild)" if step.rebuild_reason else step.entity
        case BuildDimension():
            return f"dim_{step.name}"
        case LoadFact():
            return f"fact_{step.name}"
        case Publish():
            return step.name
        case Extract() | Land():
            return step.id
        case _:
            assert_never(step)


def _group_by_feed(rows: Iterable[tuple[Feed, list[str]]]) -> list[str]:
    table = [(f"{feed.connection}/{feed.resource}", texts) for feed, texts in rows]
    width = max(len(name) for name, _ in table)
    return [
        f"{name if first else '':<{width}}  {text}"
        for name, texts in table
        for first, text in ((at == 0, text) for at, text in enumerate(texts))
    ]


def _render_reads(reads: Sequence[Extract]) -> list[str]:
    """The reads of a feed, one line for each purpose."""
    texts = [f"resume the {_render_purpose(read)} of {read.batch.window}" for read in reads if read.resume]
    new_reads = [read for read in reads if not read.resume]
    windows = [read.batch.window for read in new_reads if read.batch.purpose == "changes" and not read.open]
    if windows:
        spans = ", ".join(str(span) for span in merge_windows(windows))
        again = ", again" if any(read.batch.attempt > 1 for read in new_reads) else ""
        texts.append(f"{_render_count(len(windows), 'window')}: {spans}{again}")
    texts += [_render_due(read) for read in new_reads if read.open or read.batch.purpose != "changes"]
    return texts


def _render_due(read: Extract) -> str:
    until = format_instant(read.batch.window.until)
    below = f" below each of {read.parent}" if read.open else ""
    match read.batch.purpose:
        case "sweep":
            return f"sweep of all ids{below}, as of {until}"
        case "snapshot":
            return f"snapshot of all records{below}, as of {until}"
        case _:
            return f"{'requested' if read.again else 'missing'} records{below}: {read.batch.window}"


def _render_purpose(read: Extract) -> str:
    return "read" if read.batch.purpose == "changes" else read.batch.purpose


def _render_lands(lands: Sequence[Land]) -> str:
    known = sum(land.batch is not None for land in lands)
    texts = [_render_count(known, "batch", "batches")] if known else []
    return " and ".join([*texts, *(["any records"] if known < len(lands) else [])])


def _render_count(number: int, singular: str, many: str = "") -> str:
    return f"{number} {singular if number == 1 else many or singular + 's'}"
