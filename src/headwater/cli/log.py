"""Progress of a run: a display on a terminal, otherwise one log line for each event.

It is written to standard error, so that standard output contains only the result.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from headwater.clock import SystemClock
from headwater.events import Event, EventListener
from headwater.run.event_log import LogLine, to_log_line


@contextmanager
def open_listener() -> Iterator[EventListener]:
    """A listener that shows progress on a terminal, and otherwise writes log lines."""
    if sys.stderr.isatty():
        # The display takes time to import, and only a terminal shows it.
        with importlib.import_module("headwater.cli.progress").ProgressDisplay() as display:
            yield display.on_event
    else:
        yield log_lines()


def log_lines() -> EventListener:
    """A listener that writes `12:00:01 batch_extracted tenant=acme connection=desk resource=tickets rows=1000`.

    Pages, empty windows, unchanged tables and skipped steps are written only with `HEADWATER_LOG_LEVEL=debug`.
    """
    stream, clock = sys.stderr, SystemClock()
    is_verbose = os.environ.get("HEADWATER_LOG_LEVEL", "").lower() == "debug"

    def on_event(event: Event) -> None:
        line = to_log_line(event)
        if line.level == "debug" and not is_verbose:
            return
        # One write a line, because several threads report events.
        stream.write(f"{render_log_line(line, clock.now())}\n")
        stream.flush()

    return on_event


def render_log_line(line: LogLine, now: datetime) -> str:
    """A log line in logfmt, with the time of day before it."""
    level = "" if line.level == "info" else f"{line.level} "
    pairs = (f"{name}={_render_value(value)}" for name, value in line.fields.items() if value not in ("", None))
    return " ".join((f"{now:%H:%M:%S} {level}{line.name}", *pairs))


def _render_value(value: object) -> str:
    """The value in logfmt, on one line, because an error has up to four lines."""
    if isinstance(value, bool):
        return str(value).lower()
    text = " | ".join(part.strip() for part in str(value).splitlines())
    if not any(mark in text for mark in ' ="'):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
