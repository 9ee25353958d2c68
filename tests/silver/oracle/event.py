"""An event, where it stands among those of its key, and the set of events, in which a repetition adds nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

RANK = {"A": 0, "P": 1, "D": 2, "U": 3}


@dataclass(frozen=True)
class Event:
    """One thing that one source said of one key, as of an instant (microseconds)."""

    key: str
    sequence: int
    operation: str
    source: str
    values: tuple[tuple[str, object], ...] = ()
    """The columns that it knows, by name. A, P and D know none."""
    observed: int = 0
    place: int = -1
    first_observed: int = 0
    batch: str = ""
    hash: str = ""
    """Of what it says. Where it is not given, it is the text of the values: that decides nothing but a last tie."""
    stamp: int | None = None

    @property
    def content(self) -> str:
        return self.hash or repr(self.values)

    @property
    def identity(self) -> tuple[str, int, str, str, str]:
        return (self.key, self.sequence, self.operation, self.source, self.content)

    @property
    def order(self) -> tuple[int, int, int, int, str, str]:
        return (self.sequence, self.observed, self.place, RANK[self.operation], self.source, self.content)


def join(one: Event, other: Event) -> Event:
    """One event that was brought twice: last observed is a maximum, first observed a minimum."""
    observed, place = max((one.observed, one.place), (other.observed, other.place))
    first, batch = min((one.first_observed, one.batch), (other.first_observed, other.batch))
    stamp = max((stamp for stamp in (one.stamp, other.stamp) if stamp is not None), default=None)
    return replace(one, observed=observed, place=place, first_observed=first, batch=batch, stamp=stamp)


@dataclass
class Log:
    """A set of events: adding one that is there only moves its ends apart."""

    by_key: dict[str, dict[tuple, Event]] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        of_key = self.by_key.setdefault(event.key, {})
        there = of_key.get(event.identity)
        of_key[event.identity] = join(there, event) if there else event

    def list_events(self, key: str) -> list[Event]:
        """The events of a key, in order."""
        return sorted(self.by_key.get(key, {}).values(), key=lambda event: event.order)

    @property
    def keys(self) -> list[str]:
        return sorted(self.by_key)

    def __iter__(self) -> Iterator[Event]:
        return (event for key in self.keys for event in self.list_events(key))


def build_log(events: Iterable[Event]) -> Log:
    log = Log()
    for event in events:
        log.add(event)
    return log


def sort_values(values: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
    """Values as an event holds them."""
    return tuple(sorted(values.items()))
