"""How the story is told while it happens: a line a sync, and below it what is being done, drawn or plain."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from headwater.clock import Clock, SystemClock
from headwater.events import Event, PageCommitted, RequestRetried, TableBuilt, VersionsWritten

WIDTH = 100
"""Columns that a line of the demo takes at most, however wide the screen."""

_INTRODUCTION = "A simulated ConnectWise on this machine, synced as its company lives on."
_QUIET = 1.5
"""Seconds after which plain lines say what is being done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One sync, when it is over."""

    day: date
    """The simulated day."""
    said: str
    records: int
    refused: int
    seconds: float

    @property
    def count(self) -> str:
        """How many records it read."""
        return f"{self.records:,} record{'' if self.records == 1 else 's'}"


class Telling(Protocol):
    """Whoever tells the story."""

    def begin(self, day: date, title: str) -> None:
        """A sync begins."""
        ...

    def event(self, event: Event) -> None:
        """Something happened in it. May be told from many threads."""
        ...

    def end(self, told: Told) -> None:
        """It is over."""
        ...


@contextmanager
def telling() -> Iterator[Telling]:
    """Somebody who tells: drawn on a terminal, in plain lines elsewhere; on standard error either way."""
    if not sys.stderr.isatty():
        yield Plain()
        return
    console = Console(stderr=True, highlight=False)
    console.print(f"\n{_INTRODUCTION}\n", style="dim")
    with console.status("starting a simulated ConnectWise", spinner_style="cyan") as status:
        yield Drawn(console, status)


class Counted:
    """What a sync has done so far, in a few words."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Nothing yet."""
        self._records = self._versions = self._rows = 0
        self._words = "connecting"

    def event(self, event: Event) -> str:
        """The words, once `event` has happened."""
        match event:
            case PageCommitted():
                self._records += event.rows
                self._words = f"reading {event.batch.feed.resource}: {self._records:,} records so far"
            case VersionsWritten():
                self._versions += event.inserted
                self._words = f"history of {event.entity}: {self._versions:,} versions so far"
            case TableBuilt():
                self._rows += event.inserted
                self._words = f"{event.table}: {self._rows:,} rows so far"
            case RequestRetried():
                self._words = f"{event.where} is busy; asking again in {event.after:.0f} s"
        return self._words


class Drawn:
    """The story on a terminal: what is over stands, what happens moves."""

    def __init__(self, console: Console, status: Status) -> None:
        self._console = console
        self._status = status
        self._counted = Counted()
        self._title = ""

    def begin(self, day: date, title: str) -> None:
        """Show the day, and what it is about."""
        self._counted.begin()
        self._title = f"{day}  {title or 'the company lives on'}"
        self._show("connecting")

    def event(self, event: Event) -> None:
        """Show how far it is."""
        self._show(self._counted.event(event))

    def end(self, told: Told) -> None:
        """Leave a line that stands."""
        line = Table.grid(padding=(0, 1))
        line.add_column(width=1)
        line.add_column(width=10)
        line.add_column(ratio=1)
        line.add_column(justify="right", width=14)
        line.add_column(justify="right", width=6)
        said = Text(told.said)
        if told.refused:
            said.append(f"; {told.refused} quarantined", style="yellow")
        line.add_row(
            Text("✓", style="green"),
            Text(str(told.day), style="cyan"),
            said,
            Text(told.count, style="dim"),
            Text(f"{told.seconds:.1f} s", style="dim"),
        )
        line.expand = True
        self._console.print(line, width=min(WIDTH, self._console.width))

    def _show(self, note: str) -> None:
        shown = Text(self._title)
        shown.append(f"  {note}", style="dim")
        shown.truncate(max(20, self._console.width - 4), overflow="ellipsis")
        self._status.update(shown)


class Plain:
    """The story in plain lines, at least one every other second."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._counted = Counted()
        self._title = ""
        self._last = self._clock.monotonic()
        self._write(_INTRODUCTION)

    def begin(self, day: date, title: str) -> None:
        """Say the day, and what it is about."""
        self._counted.begin()
        self._title = title
        self._write(f"{day}  {title or 'the company has lived on'}")

    def event(self, event: Event) -> None:
        """Say how far it is, if nothing was said for a while."""
        words = self._counted.event(event)
        if self._clock.monotonic() - self._last > _QUIET:
            self._write(f"            {words}")

    def end(self, told: Told) -> None:
        """Say what it was."""
        refused = f"; {told.refused} quarantined" if told.refused else ""
        news = "" if self._title else f"{told.said}: "
        self._write(f"            {news}{told.count} read{refused}, {told.seconds:.1f} s")

    def _write(self, line: str) -> None:
        self._last = self._clock.monotonic()
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
