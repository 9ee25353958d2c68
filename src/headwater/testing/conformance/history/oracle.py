"""History, told a second time: plain dicts and sorted lists, written from the text of the design and from nothing else.

An event is what was seen of a thing at an instant; the history of a thing is what one gets by looking at its events in
order. There is no SQL here, and no code is shared with the product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

OPEN = 253402214400000000
"""9999-12-31 00:00:00 UTC in microseconds: the end of what has not ended."""

TIES = {"A": 0, "P": 1, "D": 2, "U": 3}
"""Which of two events at one instant, observed at once and at the same place, comes first."""


@dataclass(frozen=True)
class Event:
    """One observation: an update with what it knows, a delete, an absence from its source, or a presence in it."""

    key: str
    sequence: int
    operation: str
    values: Mapping[str, Any] = field(default_factory=dict)
    hash: str = ""
    batch: str = "b"
    source: str = "shop.things"
    observed: int = 0
    """When it was observed: as the events of a set are told, last; as one arrives, there and then."""
    place: int = 0
    first: int | None = None
    """When it was first observed; None: then."""

    @property
    def identity(self) -> tuple[str, int, str, str, str]:
        """What tells one observation from another."""
        return (self.key, self.sequence, self.operation, self.source, self.hash)

    @property
    def first_observed(self) -> int:
        """When it was first observed."""
        return self.observed if self.first is None else self.first


def build_history(
    events: Iterable[Event], columns: Sequence[str], overwritten: Sequence[str] = ()
) -> list[tuple[Any, ...]]:
    """Versions as (key, *columns, from, to, current, number, batch), sorted by key and time."""
    told: list[tuple[Any, ...]] = []
    for key, own in sorted(_group_by_key(events).items()):
        told += _build_key_history(key, own, columns, overwritten)
    return told


def merge_duplicates(events: Iterable[Event]) -> list[Event]:
    """Each event once: with its latest observation, and the first of them with the batch that brought it."""
    once: dict[tuple[Any, ...], Event] = {}
    for event in events:
        before = once.get(event.identity, event)
        last = max(before, event, key=lambda one: (one.observed, one.place))
        first = min(before, event, key=lambda one: (one.first_observed, one.batch))
        once[event.identity] = replace(last, batch=first.batch, first=first.first_observed)
    return list(once.values())


def state_at(events: Iterable[Event], key: str, instant: int) -> dict[str, Any] | None:
    """What is known of a thing right at an instant; None when it is not there."""
    own = [event for event in merge_duplicates(events) if event.key == key and event.sequence <= instant]
    states = list(_replay_states(sort_events(own)))
    return states[-1][1] if states and states[-1][2] else None


def sort_events(events: Iterable[Event]) -> list[Event]:
    """Events of one key in the order in which they count."""
    return sorted(
        events,
        key=lambda one: (one.sequence, one.observed, one.place, TIES[one.operation], one.source, one.hash),
    )


def _replay_states(ordered: Iterable[Event]) -> Iterator[tuple[Event, dict[str, Any], bool]]:
    """After each event: the event, what is known of the thing, and whether it is there."""
    state: dict[str, Any] = {}
    showing: set[str] = set()
    alive = False
    for event in ordered:
        match event.operation:
            case "U":
                state, alive = {**state, **event.values}, True
                showing.add(event.source)
            case "P":
                showing.add(event.source)
            case "A":
                showing.discard(event.source)
            case "D":
                alive = False
                showing.clear()
        yield event, state, alive and bool(showing)


def _group_by_key(events: Iterable[Event]) -> dict[str, list[Event]]:
    groups: dict[str, list[Event]] = {}
    for event in merge_duplicates(events):
        groups.setdefault(event.key, []).append(event)
    return groups


def _build_key_history(
    key: str, events: list[Event], columns: Sequence[str], overwritten: Sequence[str]
) -> list[tuple[Any, ...]]:
    ordered = sort_events(events)
    newest: dict[str, Any] = {}
    for event in ordered:
        if event.operation == "U":
            newest |= {name: value for name, value in event.values.items() if name in overwritten}

    found: list[dict[str, Any]] = []
    for place, (event, state, there) in enumerate(_replay_states(ordered)):
        if place + 1 < len(ordered) and ordered[place + 1].sequence == event.sequence:
            continue
        tracked = {name: state.get(name) for name in columns if name not in overwritten}
        running = bool(found) and found[-1]["to"] == OPEN
        if running and (not there or found[-1]["state"] != tracked):
            found[-1]["to"] = event.sequence
            running = False
        if there and not running:
            found.append({"state": tracked, "from": event.sequence, "to": OPEN, "batch": event.batch})
    rows = []
    for number, version in enumerate(found, 1):
        values = [newest.get(name) if name in overwritten else version["state"][name] for name in columns]
        current = version["to"] == OPEN
        rows.append((key, *values, version["from"], version["to"], current, number, version["batch"]))
    return rows
