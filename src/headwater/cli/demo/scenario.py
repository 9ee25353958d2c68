"""The story: a first load, then syncs after each stretch of the company's life, with its accidents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from headwater.cli.demo.changes import news
from headwater.cli.demo.progress import Telling, Told
from headwater.cli.demo.project import TENANT, relax
from headwater.cli.demo.sandbox import Service
from headwater.clock import Clock, SystemClock
from headwater.errors import HeadwaterError
from headwater.run import app
from headwater.run.results import RunReport
from headwater.run.workspace import Workspace

MONTHS = 3
"""What the company has lived through before anybody reads it."""
BUDGET = 50.0
"""Seconds for the whole story. Where the machine is slower, fewer syncs cover the same days."""

_HOLD_BACK = timedelta(minutes=5)
"""The connector's: what changed later than this before a sync is read by the next one."""
_ENTRIES = "time/entries"
_USUAL = 3.0
"""Seconds of a sync, until one was timed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A stretch of the company's life, and the sync after it."""

    days: int = 0
    hours: int = 0
    title: str = ""
    """What it is about; the news of those days if it says nothing."""
    accident: Callable[[Service], None] | None = None
    """What goes wrong in the service before the sync."""

    @property
    def weight(self) -> float:
        """What its sync costs, where one after many days costs 1: after a few hours, there is no sweep of ids."""
        return 1.0 if self.days else 0.4 if self.hours else 0.1

    @property
    def ordinary(self) -> bool:
        """Whether the story may go on without a sync here."""
        return not (self.title or self.accident)


def _flags_and_amounts(service: Service) -> None:
    service.spoil(_ENTRIES, service.newest(_ENTRIES, 3), field="invoiceFlag", value="já")
    # This one the service goes on sending so, whenever somebody touches it.
    service.spoil("expense/entries", service.newest("expense/entries", 1), field="amount", value="11.900 kr.")


def _too_many(service: Service) -> None:
    service.fault("rate_limit", path="service/tickets", retry_after=1)


BEFORE: tuple[Chapter, ...] = (
    Chapter(title=f"first load: the past {MONTHS} months, in chunks of 30 days"),
    Chapter(days=12),
    Chapter(days=12),
    Chapter(days=8, title="a page holds 3 time entries and an expense that do not fit", accident=_flags_and_amounts),
    Chapter(hours=14, title="the service is busy (429): asked again when it said", accident=_too_many),
    Chapter(days=12),
)
"""Until the rule for one field is relaxed."""
AFTER: tuple[Chapter, ...] = (
    Chapter(days=12),
    Chapter(days=12),
    Chapter(days=12),
    Chapter(days=12),
    # Never left out, so that the last sync finds nothing however slow the machine is.
    Chapter(hours=10, title="half a day later"),
    Chapter(title="once more: nothing to read, nothing to write"),
)
"""Once it is."""


@dataclass(slots=True, kw_only=True)
class Story:
    """The story as it was told."""

    syncs: list[Told] = field(default_factory=list)
    clock: datetime | None = None
    """The simulated instant at which it ended."""
    readmitted: int = 0

    @property
    def today(self) -> date:
        """The simulated day at which it ended."""
        assert self.clock is not None
        return self.clock.date()


class Narrator:
    """Lets the company live, syncs after it, and tells."""

    def __init__(
        self, folder: Path, service: Service, telling: Telling, *, stop: Callable[[], bool], clock: Clock | None = None
    ) -> None:
        self._folder = folder
        self._service = service
        self._telling = telling
        self._stop = stop
        self._clock = clock or SystemClock()
        self._began = self._clock.monotonic()
        self._usual = _USUAL
        self._told_until: datetime | None = None
        self._left = sum(chapter.weight for chapter in (*BEFORE, *AFTER))
        self.story = Story()

    def tell(self) -> Story:
        """The whole story."""
        with app.open_project(self._folder, listen=self._telling.event) as opened:
            self._tell(opened, BEFORE)
        relax(self._folder)
        with app.open_project(self._folder, listen=self._telling.event) as opened:
            self._readmit(opened)
            self._tell(opened, AFTER)
        return self.story

    def _tell(self, opened: Workspace, chapters: Sequence[Chapter]) -> None:
        for chapter in chapters:
            now = self._service.advance(days=chapter.days, hours=chapter.hours)
            self.story.clock = now
            late = self._is_late()
            self._left -= chapter.weight
            if not (chapter.ordinary and late):
                self._sync(opened, chapter, now)

    def _sync(self, opened: Workspace, chapter: Chapter, now: datetime) -> None:
        self._telling.begin(now.date(), chapter.title)
        if chapter.accident:
            chapter.accident(self._service)
        done = _whole(app.run(opened.open_tenant(TENANT), app.RunRequest(), stop=self._stop), self._stop)
        if chapter.accident:
            self._service.mend(_ENTRIES)
        said = chapter.title or news(opened, TENANT, self._told_until or now)
        self._end(Told(day=now.date(), said=said, records=done.rows, refused=done.quarantined, seconds=done.seconds))
        if self._told_until and chapter.days:
            self._usual = done.seconds
        if self._told_until is None or chapter.ordinary:
            self._told_until = now - _HOLD_BACK

    def _readmit(self, opened: Workspace) -> None:
        """The rule is relaxed: what it kept out is tried again, from the lake."""
        today, began = self.story.today, self._clock.monotonic()
        self._telling.begin(today, "readmitting")
        done = app.retry(opened.open_tenant(TENANT), resource="time_entries")
        self.story.readmitted = done.readmitted
        said = f"a rule is relaxed: {done.readmitted} of {done.tried} readmitted, the service not asked"
        self._end(Told(day=today, said=said, records=0, refused=0, seconds=self._clock.monotonic() - began))

    def _end(self, told: Told) -> None:
        self.story.syncs.append(told)
        self._telling.end(told)

    def _is_late(self) -> bool:
        return self._clock.monotonic() - self._began + self._left * self._usual > BUDGET


def _whole(done: RunReport, stop: Callable[[], bool]) -> RunReport:
    """The report of a run of which every part was done; what failed first otherwise."""
    if stop():
        raise HeadwaterError("The demo was stopped.", where="headwater demo", hint="start it again to repeat it")
    failed = next((step for step in done.steps if step.state == "failed"), None)
    if failed is not None:
        raise failed.error or HeadwaterError("A sync of the demo failed.", where=failed.step, details=failed.detail)
    return done
