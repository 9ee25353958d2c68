"""Progress of a run: a display on a terminal, otherwise one log line for each event.

It is written to standard error, so that standard output contains only the result.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from headwater.cli.progress import ProgressDisplay
from headwater.events import Event, EventListener
from headwater.run.event_log import to_log_line


@contextmanager
def open_listener() -> Iterator[EventListener]:
    """A listener that shows progress on a terminal, and otherwise writes log lines."""
    if sys.stderr.isatty():
        with ProgressDisplay() as display:
            yield display.on_event
    else:
        yield log_lines()


def log_lines() -> EventListener:
    """A listener that writes `12:00:01 batch_extracted tenant=acme connection=desk resource=tickets rows=1000`.

    Pages, empty windows and unchanged tables are written only with `HEADWATER_LOG_LEVEL=debug`.
    """
    log = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=True), _render],
        wrapper_class=structlog.BoundLogger,
    )

    is_verbose = os.environ.get("HEADWATER_LOG_LEVEL", "").lower() == "debug"

    def on_event(event: Event) -> None:
        line = to_log_line(event)
        if line.level == "debug" and not is_verbose:
            return
        getattr(log, line.level)(line.name, **line.fields)

    return on_event


_LOGFMT = structlog.processors.LogfmtRenderer()


def _render(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    time, name = event.pop("timestamp"), event.pop("event")
    level = "" if method == "info" else f" {method}"
    fields = {key: _flatten(value) for key, value in event.items() if value not in ("", None)}
    return f"{time}{level} {name} {_LOGFMT(logger, method, fields)}".rstrip()


def _flatten(value: object) -> object:
    """The value on one line, because an error has up to four lines."""
    return " | ".join(part.strip() for part in value.splitlines()) if isinstance(value, str) else value
