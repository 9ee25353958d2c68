"""Adds up the events of a run to its report."""

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
    RequestSent,
    TableBuilt,
    VersionsWritten,
)
from headwater.ledger.base import RunOutcome
from headwater.plan.step import Conform, Extract, Land, Plan
from headwater.run.results import STOPPED, RecordCount, RunReport, StepResult


@dataclass(kw_only=True)
class RunCounts:
    """The counts of a run. Events may come from many threads."""

    listen: EventListener
    requests: int = 0
    rows: int = 0
    kept: int = 0
    quarantined: int = 0
    written: dict[str, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    counts: tuple[RecordCount, ...] = ()
    notes: tuple[str, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def as_dict(self) -> dict[str, int]:
        """The counts that the ledger stores."""
        return {
            "rows": self.rows,
            "kept": self.kept,
            "quarantined": self.quarantined,
            "requests": self.requests,
        }

    def build_report(
        self, tenant: str, outcome: RunOutcome, seconds: float, steps: tuple[StepResult, ...]
    ) -> RunReport:
        """Build the report of a run that has ended."""
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
            notes=self.notes,
            steps=steps,
        )

    def on_event(self, event: Event) -> None:
        """Count an event, and pass it to the listener."""
        with self.lock:
            self._count(event)
        self.listen(event)

    def _count(self, event: Event) -> None:
        match event:
            case RequestSent():
                self.requests += 1
            case PageCommitted():
                self.rows += event.rows if event.batch.purpose != "sweep" else 0
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
            previous = self.written.get(table, (0, 0))
            self.written[table] = (previous[0] + deleted, previous[1] + inserted)


ALL_REFUSED: Final = "all_refused"
"""The finding about a batch whose records were all refused."""


UNFINISHED: frozenset[FindingKind] = frozenset(
    {
        ALL_REFUSED,
        "changes_unproved",
        "count_mismatch",
        "deletes_waiting",
        "missing_key",
        "selection_changed",
        "snapshot_unproved",
        "stamp_went_back",
        "sweep_unproved",
        "sweep_unverified",
        "type_mismatch",
        "unread_ids",
    }
)
"""Findings that mean that the warehouse may lack data of the service. A run with one of them ends as partial."""


def decide_outcome(
    plan: Plan, results: Sequence[StepResult], *, requested: Collection[Feed], findings: Iterable[Finding] = ()
) -> RunOutcome:
    """Derive the outcome of a run from its steps.

    Succeeded: all steps succeeded. Cancelled: a step was skipped because a stop was requested. Failed: no requested feed
    made progress or was up to date; the date dimension does not count. Partial: all other cases. So a persistent error
    gives the same outcome every day.

    `requested`: the requested feeds whose services were reachable.
    """
    succeeded = {result.step for result in results if result.state == "succeeded"}
    unsuccessful = [step for step in plan.steps if step.id not in succeeded]
    if not unsuccessful:
        is_unfinished = any(finding.finding in UNFINISHED for finding in findings)
        return RunOutcome.PARTIAL if is_unfinished else RunOutcome.SUCCEEDED
    if any(result.detail == STOPPED for result in results):
        return RunOutcome.CANCELLED
    affected = {step.feed for step in unsuccessful if isinstance(step, Land)}
    affected |= {step.batch.feed for step in unsuccessful if isinstance(step, Extract)}
    has_progress = any(step.id in succeeded for step in plan.steps if isinstance(step, Extract | Land | Conform))
    return RunOutcome.PARTIAL if has_progress or not affected.issuperset(requested) else RunOutcome.FAILED
