"""Progress of a fleet run: one line on a terminal, otherwise a log line for each unusual tenant and every ten seconds."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

from headwater.clock import SystemClock
from headwater.run.app import FleetProgress, ProgressListener, TenantResult

_INTERVAL = 10.0


@contextmanager
def open_progress() -> Iterator[ProgressListener]:
    """A listener that shows progress on standard error."""
    if not sys.stderr.isatty():
        yield FleetLog().on_progress
        return
    outcomes: Counter[str] = Counter()
    with Status("opening the project", console=Console(stderr=True)) as status:

        def show(progress: FleetProgress) -> None:
            outcomes[progress.newest.outcome] += 1
            status.update(render_progress(progress, outcomes))

        yield show


class FleetLog:
    """Writes the progress of a fleet run as log lines."""

    def __init__(self) -> None:
        self._outcomes: Counter[str] = Counter()
        self._clock = SystemClock()
        self._shown_at = self._clock.monotonic()

    def on_progress(self, progress: FleetProgress) -> None:
        """Write a line for an unusual tenant, and for the whole fleet every ten seconds and at the end."""
        self._outcomes[progress.newest.outcome] += 1
        if progress.newest.outcome != "succeeded":
            self._write(render_tenant(progress.newest))
        if progress.done == progress.total or self._clock.monotonic() - self._shown_at > _INTERVAL:
            self._shown_at = self._clock.monotonic()
            self._write(f"fleet {render_progress(progress, self._outcomes)}")

    def _write(self, line: str) -> None:
        sys.stderr.write(f"{self._clock.now():%H:%M:%S} {line}\n")
        sys.stderr.flush()


def render_progress(progress: FleetProgress, outcomes: Counter[str]) -> str:
    """`37 of 100 tenants: 35 succeeded, 2 failed`."""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    return f"{progress.done} of {progress.total} tenants: {counts}"


def render_tenant(result: TenantResult) -> str:
    """A tenant as a log line: `tenant=acme outcome=failed error="…"`."""
    error = f' error="{result.errors[0]["message"]}"' if result.errors else ""
    return f"tenant={result.tenant} outcome={result.outcome}{error}"
