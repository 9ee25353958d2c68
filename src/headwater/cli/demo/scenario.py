"""The scenario: a first load, then a sync after each period of simulated time, some of them with faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from headwater.cli.demo.changes import describe_changes
from headwater.cli.demo.progress import ProgressView, SyncResult
from headwater.cli.demo.project import TENANT, accept_any_text
from headwater.cli.demo.sandbox import Sandbox
from headwater.clock import Clock, SystemClock
from headwater.errors import HeadwaterError
from headwater.run import app
from headwater.run.results import RunReport
from headwater.run.workspace import Workspace

MONTHS = 3
"""Months of simulated history before the first sync."""
BUDGET = 50.0
"""Seconds for all syncs. On a slower machine, fewer syncs cover the same days."""

_HOLD_BACK = timedelta(minutes=5)
"""The connector's hold-back: a sync does not read changes of the last five minutes; the next one does."""
_ENTRIES = "time/entries"
_DEFAULT_SECONDS = 3.0
"""Assumed seconds of a sync until one was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStep:
    """A period of simulated time, and the sync after it."""

    days: int = 0
    hours: int = 0
    title: str = ""
    """What the step shows. Empty: the changes in its period."""
    fault: Callable[[Sandbox], None] | None = None
    """Adds a fault to the service before the sync."""

    @property
    def weight(self) -> float:
        """The expected duration of the sync; 1 is a sync after several days. After a few hours, there is no sweep of ids."""
        return 1.0 if self.days else 0.4 if self.hours else 0.1

    @property
    def is_optional(self) -> bool:
        """Whether the sync may be left out to save time."""
        return not (self.title or self.fault)


def _corrupt_flags_and_amounts(sandbox: Sandbox) -> None:
    sandbox.corrupt_records(_ENTRIES, sandbox.list_newest(_ENTRIES, 3), field="invoiceFlag", value="já")
    # The service sends this value again each time the record changes, because the fault is never cleared.
    sandbox.corrupt_records(
        "expense/entries", sandbox.list_newest("expense/entries", 1), field="amount", value="11.900 kr."
    )


def _add_rate_limit(sandbox: Sandbox) -> None:
    sandbox.add_fault("rate_limit", path="service/tickets", retry_after=1)


STEPS_BEFORE_POLICY: tuple[SyncStep, ...] = (
    SyncStep(title=f"first load: the past {MONTHS} months, in chunks of 30 days"),
    SyncStep(days=12),
    SyncStep(days=12),
    SyncStep(days=8, title="3 time entries and an expense are invalid", fault=_corrupt_flags_and_amounts),
    SyncStep(hours=14, title="the service is busy (429): retried after Retry-After", fault=_add_rate_limit),
    SyncStep(days=12),
)
"""The steps before the policy for `invoiceFlag` is added."""
STEPS_AFTER_POLICY: tuple[SyncStep, ...] = (
    SyncStep(days=12),
    SyncStep(days=12),
    SyncStep(days=12),
    SyncStep(days=12),
    # Has a title so that it is never left out. Otherwise, the last sync would find changes on a slow machine.
    SyncStep(hours=10, title="half a day later"),
    SyncStep(title="no changes: nothing to read, nothing to write"),
)
"""The steps after it is added."""


@dataclass(slots=True, kw_only=True)
class DemoRun:
    """The results of all syncs."""

    syncs: list[SyncResult] = field(default_factory=list)
    clock: datetime | None = None
    """The simulated instant at the end."""
    readmitted: int = 0

    @property
    def today(self) -> date:
        """The simulated day at the end."""
        assert self.clock is not None
        return self.clock.date()


class DemoRunner:
    """Runs the scenario: advances the simulated clock, syncs, and shows the progress."""

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        view: ProgressView,
        *,
        stop: Callable[[], bool],
        clock: Clock | None = None,
    ) -> None:
        self._folder = folder
        self._sandbox = sandbox
        self._view = view
        self._stop = stop
        self._clock = clock or SystemClock()
        self._start = self._clock.monotonic()
        self._seconds_per_sync = _DEFAULT_SECONDS
        self._described_until: datetime | None = None
        self._remaining = sum(step.weight for step in (*STEPS_BEFORE_POLICY, *STEPS_AFTER_POLICY))
        self._result = DemoRun()

    def run(self) -> DemoRun:
        """Run all steps. Return the results."""
        with app.open_project(self._folder, listen=self._view.on_event) as workspace:
            self._run_steps(workspace, STEPS_BEFORE_POLICY)
        accept_any_text(self._folder)
        with app.open_project(self._folder, listen=self._view.on_event) as workspace:
            self._retry_quarantine(workspace)
            self._run_steps(workspace, STEPS_AFTER_POLICY)
        return self._result

    def _run_steps(self, workspace: Workspace, steps: Sequence[SyncStep]) -> None:
        for step in steps:
            now = self._sandbox.advance(days=step.days, hours=step.hours)
            self._result.clock = now
            is_late = self._is_late()
            self._remaining -= step.weight
            if not (step.is_optional and is_late):
                self._sync(workspace, step, now)

    def _sync(self, workspace: Workspace, step: SyncStep, now: datetime) -> None:
        self._view.begin_sync(now.date(), step.title)
        if step.fault:
            step.fault(self._sandbox)
        report = app.run(workspace.open_tenant(TENANT), app.RunRequest(), stop=self._stop)
        _check_report(report, self._stop)
        if step.fault:
            self._sandbox.repair_records(_ENTRIES)
        summary = step.title or describe_changes(workspace, TENANT, self._described_until or now)
        self._end_sync(now.date(), summary, records=report.rows, quarantined=report.quarantined, seconds=report.seconds)
        if self._described_until and step.days:
            self._seconds_per_sync = report.seconds
        if self._described_until is None or step.is_optional:
            self._described_until = now - _HOLD_BACK

    def _retry_quarantine(self, workspace: Workspace) -> None:
        """Retry the records that the policy now accepts. They are read from the lake."""
        today, start = self._result.today, self._clock.monotonic()
        self._view.begin_sync(today, "retrying quarantine")
        retry = app.retry(workspace.open_tenant(TENANT), resource="time_entries")
        self._result.readmitted = retry.readmitted
        summary = f"policy added: {retry.readmitted} of {retry.tried} readmitted without a request to the service"
        self._end_sync(today, summary, seconds=self._clock.monotonic() - start)

    def _end_sync(self, day: date, summary: str, *, seconds: float, records: int = 0, quarantined: int = 0) -> None:
        result = SyncResult(day=day, summary=summary, records=records, quarantined=quarantined, seconds=seconds)
        self._result.syncs.append(result)
        self._view.end_sync(result)

    def _is_late(self) -> bool:
        return self._clock.monotonic() - self._start + self._remaining * self._seconds_per_sync > BUDGET


def _check_report(report: RunReport, stop: Callable[[], bool]) -> None:
    """Raise HeadwaterError if the demo was stopped, or the error of the first failed step."""
    if stop():
        raise HeadwaterError("The demo was stopped.", where="headwater demo", hint="start it again to repeat it")
    failure = next((step for step in report.steps if step.state == "failed"), None)
    if failure is not None:
        raise failure.error or HeadwaterError("A sync of the demo failed.", where=failure.step, details=failure.detail)
