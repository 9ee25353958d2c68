"""The log of a worker: one line for each tenant, and for each thing that a person should know."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from headwater.cli.log import render_log_line
from headwater.clock import SystemClock
from headwater.run.app import WorkerEvent
from headwater.run.event_log import Level, LogLine

_LEVELS: Mapping[str, Level] = {
    "trouble": "error",
    "other_queue": "warning",
    "taken_up": "warning",
    "jobs_left": "warning",
}


class WorkerLog:
    """Writes log lines to standard error: `12:00:01 tenant tenant=acme outcome=succeeded seconds=1.2`."""

    def __init__(self) -> None:
        self._clock = SystemClock()

    def on_event(self, event: WorkerEvent) -> None:
        """Write a line."""
        fields = {"tenant": event.tenant, **event.fields}
        line = LogLine(name=event.name, level=_LEVELS.get(event.name, "info"), fields=fields)
        sys.stderr.write(f"{render_log_line(line, self._clock.now())}\n")
        sys.stderr.flush()
