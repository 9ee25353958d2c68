"""Shows the progress of the demo: one line per sync, and its current state, on a terminal or as plain lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from headwater.clock import Clock, SystemClock
from headwater.events import Event, PageCommitted, RequestRetried, TableBuilt, VersionsWritten

WIDTH = 100
"""Maximum width of a line of the demo, on any screen."""

_INTRODUCTION = "Syncing from a simulated ConnectWise on this machine."
_INTERVAL = 1.5
"""Seconds without output after which plain lines print the current state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """The result of one sync."""

    day: date
    """The simulated day."""
    summary: str
    records: int
    quarantined: int
    seconds: float

    @property
    def count(self) -> str:
        """The number of records that it read, as text."""
        return f"{self.records:,} record{'' if self.records == 1 else 's'}"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for `--json`."""
        return {
            "day": self.day,
            "said": self.summary,
            "records": self.records,
            "refused": self.quarantined,
            "seconds": self.seconds,
        }


class ProgressView(Protocol):
    """Shows the progress of syncs."""

    def begin_sync(self, day: date, title: str) -> None:
        """Show that a sync begins. An empty title is a sync without a special topic."""
        ...

    def on_event(self, event: Event) -> None:
        """Show an event of the sync. May be called from several threads."""
        ...

    def end_sync(self, result: SyncResult) -> None:
        """Show the result of the sync."""
        ...


@contextmanager
def open_progress_view() -> Iterator[ProgressView]:
    """Open a view on standard error: live on a terminal, otherwise plain lines."""
    if not sys.stderr.isatty():
        yield PlainProgress()
        return
    console = Console(stderr=True, highlight=False)
    console.print(f"\n{_INTRODUCTION}\n", style="dim")
    with console.status("starting a simulated ConnectWise", spinner_style="cyan") as status:
        yield TerminalProgress(console, status)


class ProgressText:
    """Counts the events of a sync, and describes its current state."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start again at zero."""
        self._records = self._versions = self._rows = 0
        self._text = "connecting"

    def on_event(self, event: Event) -> str:
        """Count an event. Return the current state as text."""
        match event:
            case PageCommitted():
                self._records += event.rows
                self._text = f"reading {event.batch.feed.resource}: {self._records:,} records so far"
            case VersionsWritten():
                self._versions += event.inserted
                self._text = f"history of {event.entity}: {self._versions:,} versions so far"
            case TableBuilt():
                self._rows += event.inserted
                self._text = f"{event.table}: {self._rows:,} rows so far"
            case RequestRetried():
                self._text = f"{event.where} is busy; retrying in {event.after:.0f} s"
        return self._text


class TerminalProgress:
    """Live progress on a terminal: finished syncs as lines, and the current one below them."""

    def __init__(self, console: Console, status: Status) -> None:
        self._console = console
        self._status = status
        self._text = ProgressText()
        self._title = ""

    def begin_sync(self, day: date, title: str) -> None:
        """Show the day and the title."""
        self._text.reset()
        self._title = f"{day}  {title or 'syncing changes'}"
        self._show("connecting")

    def on_event(self, event: Event) -> None:
        """Show the current state."""
        self._show(self._text.on_event(event))

    def end_sync(self, result: SyncResult) -> None:
        """Print the line of a finished sync."""
        line = Table.grid(padding=(0, 1))
        line.add_column(width=1)
        line.add_column(width=10)
        line.add_column(ratio=1)
        line.add_column(justify="right", width=14)
        line.add_column(justify="right", width=6)
        summary = Text(result.summary)
        if result.quarantined:
            summary.append(f"; {result.quarantined} quarantined", style="yellow")
        line.add_row(
            Text("✓", style="green"),
            Text(str(result.day), style="cyan"),
            summary,
            Text(result.count, style="dim"),
            Text(f"{result.seconds:.1f} s", style="dim"),
        )
        line.expand = True
        self._console.print(line, width=min(WIDTH, self._console.width))

    def _show(self, note: str) -> None:
        text = Text(self._title)
        text.append(f"  {note}", style="dim")
        text.truncate(max(20, self._console.width - 4), overflow="ellipsis")
        self._status.update(text)


class PlainProgress:
    """Progress as plain lines. During a sync, prints the current state at most once per 1.5 seconds."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._text = ProgressText()
        self._title = ""
        self._last = self._clock.monotonic()
        self._write(_INTRODUCTION)

    def begin_sync(self, day: date, title: str) -> None:
        """Print the day and the title."""
        self._text.reset()
        self._title = title
        self._write(f"{day}  {title or 'syncing changes'}")

    def on_event(self, event: Event) -> None:
        """Print the current state if nothing was printed for a while."""
        text = self._text.on_event(event)
        if self._clock.monotonic() - self._last > _INTERVAL:
            self._write(f"            {text}")

    def end_sync(self, result: SyncResult) -> None:
        """Print the result."""
        quarantined = f"; {result.quarantined} quarantined" if result.quarantined else ""
        summary = "" if self._title else f"{result.summary}: "
        self._write(f"            {summary}{result.count} read{quarantined}, {result.seconds:.1f} s")

    def _write(self, line: str) -> None:
        self._last = self._clock.monotonic()
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
