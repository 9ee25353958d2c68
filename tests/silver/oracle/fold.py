"""Events become versions: presence source by source, what is carried forward, what is overwritten, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from tests.silver.oracle.event import Event, build_log

OPEN_END = None


@dataclass(frozen=True)
class Version:
    """One row of history. `valid_to` is None where it is open."""

    key: str
    values: tuple[tuple[str, object], ...]
    valid_from: int
    valid_to: int | None
    number: int
    batch: str

    @property
    def is_current(self) -> bool:
        return self.valid_to is OPEN_END


@dataclass
class Life:
    """What is known of a key after some of its events."""

    values: dict[str, object] = field(default_factory=dict)
    shown_by: set[str] = field(default_factory=set)
    deleted: bool = True
    """Whether the last event among U and D is no U."""
    last_word: dict[str, str] = field(default_factory=dict)
    """A source's last word of its own."""
    last_record: dict[str, str] = field(default_factory=dict)
    """What the last of a source's own records said; that a complete read shows a thing or not is no record."""

    @property
    def is_open(self) -> bool:
        return not self.deleted and bool(self.shown_by)

    def take(self, event: Event) -> None:
        self.last_word[event.source] = event.operation
        if event.place >= 0:
            self.last_record[event.source] = event.operation
        if event.operation in "UP":
            self.shown_by.add(event.source)
        if event.operation == "A":
            self.shown_by.discard(event.source)
        if event.operation == "D":
            self.shown_by.clear()
            self.deleted = True
        if event.operation == "U":
            self.deleted = False
            self.values.update(event.values)


def fold_life(events: Iterable[Event]) -> Life:
    """What events of one key, in order, make of it."""
    life = Life()
    for event in events:
        life.take(event)
    return life


@dataclass(frozen=True)
class Moment:
    """The state from one instant on: what counts is the last event of the instant."""

    instant: int
    is_open: bool
    values: dict[str, object]
    batch: str


def list_moments(events: Iterable[Event]) -> Iterator[Moment]:
    """The state of a key after each instant at which something was said of it."""
    life = Life()
    for instant, together in groupby(events, key=lambda event: event.sequence):
        for event in together:
            life.take(event)
        yield Moment(instant, life.is_open, dict(life.values), event.batch)


@dataclass
class Span:
    values: dict[str, object]
    start: int
    batch: str
    end: int | None = OPEN_END


def list_spans(events: Iterable[Event], tracked: tuple[str, ...]) -> list[Span]:
    """From when to when which tracked columns stood."""
    spans: list[Span] = []
    for moment in list_moments(events):
        values = {column: moment.values.get(column) for column in tracked}
        last = spans[-1] if spans and spans[-1].end is OPEN_END else None
        if last and moment.is_open and last.values == values:
            continue
        if last:
            last.end = moment.instant
        if moment.is_open:
            spans.append(Span(values, moment.instant, moment.batch))
    return spans


def fold_versions(key: str, events: list[Event], names: Iterable[str], overwritten: frozenset[str]) -> list[Version]:
    """The versions of one key, from its events in order."""
    tracked = tuple(name for name in names if name not in overwritten)
    newest = fold_life(events).values
    everywhere = {name: newest.get(name) for name in names if name in overwritten}
    return [
        Version(key, tuple(sorted((span.values | everywhere).items())), span.start, span.end, number, span.batch)
        for number, span in enumerate(list_spans(events, tracked), start=1)
    ]


def build_versions(events: Iterable[Event], names: Iterable[str], overwritten: Iterable[str] = ()) -> list[Version]:
    """The history that a set of events is; key by key, in time."""
    log = build_log(events)
    names, over = tuple(names), frozenset(overwritten)
    return [version for key in log.keys for version in fold_versions(key, log.list_events(key), names, over)]
