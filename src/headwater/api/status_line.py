"""Shows the progress of a run on one line, in a terminal and in a notebook."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from headwater.events import (
    Event,
    EventListener,
    PageCommitted,
    RequestRetried,
    StepFailed,
    TableBuilt,
    VersionsWritten,
    discard,
)

_WIDTH = 78
"""The most characters of the line. A longer line would wrap, and could not be overwritten."""


class StatusLine:
    """One line on standard error. A carriage return overwrites it, which notebooks understand as well."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows = self._versions = self._length = 0

    def on_event(self, event: Event) -> None:
        """Show an event. May be called from several threads."""
        with self._lock:
            if isinstance(event, StepFailed):
                self._write(f"{event.step} failed: {event.error.splitlines()[0]}", end="\n")
            elif text := self._describe(event):
                self._write(text)

    def clear(self) -> None:
        """Remove the line."""
        with self._lock:
            self._write("")

    def _describe(self, event: Event) -> str:
        match event:
            case PageCommitted():
                self._rows += event.rows
                return f"reading {event.batch.feed.resource}: {self._rows:,} records"
            case VersionsWritten():
                self._versions += event.inserted
                return f"history of {event.entity}: {self._versions:,} versions"
            case TableBuilt():
                return f"building {event.table}"
            case RequestRetried():
                return f"{event.where}: retrying in {event.after:.0f} s"
        return ""

    def _write(self, text: str, *, end: str = "") -> None:
        text = text[:_WIDTH]
        sys.stderr.write(f"\r{text.ljust(self._length)}{end or chr(13)}")
        sys.stderr.flush()
        self._length = 0 if end else len(text)


@contextmanager
def show_progress(*, enabled: bool | None) -> Iterator[EventListener]:
    """A listener that shows progress. `None`: only in a terminal or a notebook."""
    if not (is_interactive() if enabled is None else enabled):
        yield discard
        return
    line = StatusLine()
    try:
        yield line.on_event
    finally:
        line.clear()


def is_interactive() -> bool:
    """Whether a person can see standard error: in a terminal, or in a notebook."""
    # `ipykernel` is loaded in each notebook kernel, and its standard error is no terminal.
    return sys.stderr.isatty() or "ipykernel" in sys.modules
