"""Progress while it works: drawn where there is a terminal, one plain line an event where there is none.

All of it goes to standard error, so that standard output holds the answer and nothing else.
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
    """Somebody to tell: a drawing on a terminal, plain lines elsewhere."""
    if sys.stderr.isatty():
        with ProgressDisplay() as drawing:
            yield drawing.on_event
    else:
        yield log_lines()


def log_lines() -> EventListener:
    """A listener that writes `12:00:01 batch_extracted tenant=acme connection=desk resource=tickets rows=1000`.

    Pages, empty windows and tables that stayed as they were are told only with `HEADWATER_LOG_LEVEL=debug`.
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
    """A value that stays on one line: an error in four parts takes four."""
    return " | ".join(part.strip() for part in value.splitlines()) if isinstance(value, str) else value
