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

from headwater.cli.progress import Drawing
from headwater.events import Event, EventListener
from headwater.run.event_log import line_of


@contextmanager
def listening() -> Iterator[EventListener]:
    """Somebody to tell: a drawing on a terminal, plain lines elsewhere."""
    if sys.stderr.isatty():
        with Drawing() as drawing:
            yield drawing.told
    else:
        yield plain_lines()


def plain_lines() -> EventListener:
    """A listener that writes `12:00:01 batch_extracted tenant=acme connection=desk resource=tickets rows=1000`.

    Pages, empty windows and tables that stayed as they were are told only with `HEADWATER_LOG_LEVEL=debug`.
    """
    log = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=True), _rendered],
        wrapper_class=structlog.BoundLogger,
    )

    everything = os.environ.get("HEADWATER_LOG_LEVEL", "").lower() == "debug"

    def told(event: Event) -> None:
        line = line_of(event)
        if line.level == "debug" and not everything:
            return
        getattr(log, line.level)(line.name, **line.fields)

    return told


_LOGFMT = structlog.processors.LogfmtRenderer()


def _rendered(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    time, name = event.pop("timestamp"), event.pop("event")
    level = "" if method == "info" else f" {method}"
    fields = {key: _flat(value) for key, value in event.items() if value not in ("", None)}
    return f"{time}{level} {name} {_LOGFMT(logger, method, fields)}".rstrip()


def _flat(value: object) -> object:
    """A value that stays on one line: an error in four parts takes four."""
    return " | ".join(part.strip() for part in value.splitlines()) if isinstance(value, str) else value
