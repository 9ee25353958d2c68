"""The state of a run whose steps are executed one by one, each in its own process.

It is stored in one mark of the tenant. The run has one row in the ledger, from its first step until all its steps are done or
another run begins.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headwater.clock import from_micros, to_micros
from headwater.ledger.base import Ledger, RunOutcome

_MARK = "step-run"


@dataclass(kw_only=True)
class StepRun:
    """The state of such a run."""

    id: str
    total: int
    """The number of steps in its plan."""
    by_id: bool = False
    """Whether it consists of one step that was requested by id, without a plan."""
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    active: str = ""
    """The step in progress. If its process is killed, the next step finds it here."""
    connected_at: dict[str, datetime] = field(default_factory=dict)
    """By connection: when the run first connected, in the time agreed on with the service."""
    counts: Counter[str] = field(default_factory=Counter)
    """The totals of its steps: records, requests."""
    incomplete: bool = False
    """Whether a finding means that the warehouse may lack data of the services."""
    ended: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether all its steps are done."""
        return len(self.done) >= self.total

    @property
    def outcome(self) -> RunOutcome:
        """The outcome if the run ended now."""
        if self.is_complete:
            return RunOutcome.PARTIAL if self.incomplete else RunOutcome.SUCCEEDED
        return RunOutcome.PARTIAL if self.done else RunOutcome.FAILED

    def record(self, step: str, *, done: bool) -> None:
        """Record how a step ended. A later attempt replaces an earlier one."""
        self.active = ""
        self.done.discard(step)
        self.failed.discard(step)
        (self.done if done else self.failed).add(step)

    def as_dict(self) -> dict[str, int]:
        """The totals and the number of done steps, for the ledger and `status`."""
        return {**self.counts, "steps": self.total, "steps_done": len(self.done), "steps_failed": len(self.failed)}


def load_step_run(ledger: Ledger, tenant: str) -> StepRun | None:
    """Load the newest run whose steps are executed one by one; None if there is none."""
    text = ledger.get_mark(tenant, _MARK)
    if not text:
        return None
    stored: dict[str, Any] = json.loads(text)
    return StepRun(
        id=stored["id"],
        total=stored["total"],
        by_id=stored["by_id"],
        done=set(stored["done"]),
        failed=set(stored["failed"]),
        active=stored["active"],
        connected_at={name: from_micros(instant) for name, instant in stored["connected_at"].items()},
        counts=Counter(stored["counts"]),
        incomplete=stored["incomplete"],
        ended=stored["ended"],
    )


def save_step_run(ledger: Ledger, tenant: str, run: StepRun) -> None:
    """Save the state of a run, and replace the previous state."""
    stored = {
        "id": run.id,
        "total": run.total,
        "by_id": run.by_id,
        "done": sorted(run.done),
        "failed": sorted(run.failed),
        "active": run.active,
        "connected_at": {name: to_micros(instant) for name, instant in run.connected_at.items()},
        "counts": dict(run.counts),
        "incomplete": run.incomplete,
        "ended": run.ended,
    }
    ledger.set_mark(tenant, _MARK, json.dumps(stored))


def end_step_run(ledger: Ledger, tenant: str, run: StepRun | None = None) -> None:
    """End the run whose steps are executed one by one, if it has not ended: all is done, or another run begins."""
    run = run or load_step_run(ledger, tenant)
    if run is not None and not run.ended:
        ledger.end_run(tenant, run.id, outcome=run.outcome, counts=run.as_dict())
        run.ended = True
        save_step_run(ledger, tenant, run)


def load_progress(ledger: Ledger, tenant: str, run_id: str) -> Mapping[str, int]:
    """The progress of a run whose steps are executed one by one; empty for other runs."""
    run = load_step_run(ledger, tenant)
    return run.as_dict() if run is not None and run.id == run_id else {}
