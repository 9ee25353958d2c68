"""How a run ended, told from what became of its parts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from headwater.batch import Feed
from headwater.plan.step import Conform, Extract, Land, Plan
from headwater.run.result import Finding, Outcome, StepResult

ALL_REFUSED = "all_refused"
"""The finding about a read of which every record was refused."""
UNFINISHED = frozenset(
    {
        ALL_REFUSED,
        "changes_unproved",
        "count differs",
        "deletes_waiting",
        "does not fit",
        "no key",
        "snapshot_unproved",
        "stamp_went_back",
        "sweep_unproved",
        "sweep_unverified",
        "unread_ids",
    }
)
"""Findings that say that what is here may not be what the service has: the run ended, and not all of it is in."""


def outcome_of(
    plan: Plan, results: Sequence[StepResult], *, asked: Collection[Feed], findings: Iterable[Finding] = ()
) -> Outcome:
    """`done` where every step is. `failed` where nothing of what was asked came further or was up to date: a table of
    days that was made meanwhile is no part of it. `partial` else: the same fault tells the same, day after day.

    `asked`: the feeds that were asked for and could be.
    """
    done = {result.step for result in results if result.state == "done"}
    undone = [step for step in plan.steps if step.id not in done]
    if not undone:
        return "partial" if any(one.finding in UNFINISHED for one in findings) else "done"
    hit = {step.feed for step in undone if isinstance(step, Land)}
    hit |= {step.batch.feed for step in undone if isinstance(step, Extract)}
    came = any(step.id in done for step in plan.steps if isinstance(step, Extract | Land | Conform))
    return "partial" if came or not hit.issuperset(asked) else "failed"
