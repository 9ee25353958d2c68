"""What a run's events add up to."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from headwater.batch import Feed
from headwater.events import (
    BatchLanded,
    Event,
    EventListener,
    Finding,
    FindingKind,
    FindingMade,
    PageCommitted,
    RequestRetried,
    TableBuilt,
    VersionsWritten,
)
from headwater.ledger.base import RunOutcome
from headwater.plan.step import Conform, Extract, Land, Plan
from headwater.run.results import STOPPED, RecordCount, RunReport, StepResult


@dataclass(kw_only=True)
class RunCounts:
    """What a run's events add up to. Told from many threads."""

    listen: EventListener
    requests: int = 0
    rows: int = 0
    kept: int = 0
    quarantined: int = 0
    written: dict[str, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    counts: tuple[RecordCount, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def as_dict(self) -> dict[str, int]:
        """What was read, as the ledger keeps it."""
        return {
            "rows": self.rows,
            "kept": self.kept,
            "quarantined": self.quarantined,
            "requests": self.requests,
        }

    def build_report(
        self, tenant: str, outcome: RunOutcome, seconds: float, steps: tuple[StepResult, ...]
    ) -> RunReport:
        """The report of a run that ended."""
        return RunReport(
            tenant=tenant,
            outcome=outcome,
            seconds=seconds,
            requests=self.requests,
            rows=self.rows,
            kept=self.kept,
            quarantined=self.quarantined,
            written=self.written,
            findings=tuple(self.findings),
            counts=self.counts,
            steps=steps,
        )

    def on_event(self, event: Event) -> None:
        """Count an event and pass it on."""
        with self.lock:
            self._count(event)
        self.listen(event)

    def _count(self, event: Event) -> None:
        match event:
            case PageCommitted():
                self.requests += 1
                self.rows += event.rows if event.batch.purpose != "sweep" else 0
            case RequestRetried():
                self.requests += 1
            case BatchLanded() if event.batch.purpose != "sweep":
                self.kept += event.kept
                self.quarantined += event.quarantined
            case VersionsWritten():
                self._add_written(f"silver.{event.entity}", event.deleted, event.inserted)
            case TableBuilt():
                self._add_written(event.table, event.deleted, event.inserted)
            case FindingMade():
                self.findings.append(event.finding)
            case _:
                pass

    def _add_written(self, table: str, deleted: int, inserted: int) -> None:
        if deleted or inserted:
            before = self.written.get(table, (0, 0))
            self.written[table] = (before[0] + deleted, before[1] + inserted)


ALL_REFUSED: Final = "all_refused"
"""The finding about a read of which every record was refused."""


UNFINISHED: frozenset[FindingKind] = frozenset(
    {
        ALL_REFUSED,
        "changes_unproved",
        "count_mismatch",
        "deletes_waiting",
        "missing_key",
        "snapshot_unproved",
        "stamp_went_back",
        "sweep_unproved",
        "sweep_unverified",
        "type_mismatch",
        "unread_ids",
    }
)
"""Findings that say that what is here may not be what the service has: the run ended, and not all of it is in."""


def decide_outcome(
    plan: Plan, results: Sequence[StepResult], *, requested: Collection[Feed], findings: Iterable[Finding] = ()
) -> RunOutcome:
    """How a run ended whose steps ended so.

    Succeeded: every step did. Cancelled: a step was left out because a stop was asked for. Failed: nothing of what was
    asked came further or was up to date; a table of days that was made meanwhile is no part of it. Partial: all others,
    so that the same fault gives the same outcome day after day.

    `asked`: the feeds that were asked for and could be.
    """
    done = {result.step for result in results if result.state == "succeeded"}
    undone = [step for step in plan.steps if step.id not in done]
    if not undone:
        is_unfinished = any(finding.finding in UNFINISHED for finding in findings)
        return RunOutcome.PARTIAL if is_unfinished else RunOutcome.SUCCEEDED
    if any(result.detail == STOPPED for result in results):
        return RunOutcome.CANCELLED
    affected = {step.feed for step in undone if isinstance(step, Land)}
    affected |= {step.batch.feed for step in undone if isinstance(step, Extract)}
    has_progress = any(step.id in done for step in plan.steps if isinstance(step, Extract | Land | Conform))
    return RunOutcome.PARTIAL if has_progress or not affected.issuperset(requested) else RunOutcome.FAILED
