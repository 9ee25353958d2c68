"""The reference implementation of history: plain dicts and sorted lists, written from the text of the design.

An event is an observation of a thing at an instant. The history of a thing is the result of its events in order. This module
has no SQL and shares no code with the product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

OPEN = 253402214400000000
"""9999-12-31 00:00:00 UTC, in microseconds since 1970: the end of a version that is still valid."""

TIES = {"A": 0, "P": 1, "D": 2, "U": 3}
"""The order of events with the same instant, observation time and place."""


@dataclass(frozen=True)
class Event:
    """One observation: an update (U) of some columns, a delete (D), an absence (A) from its source, or a presence (P) in it."""

    key: str
    sequence: int
    operation: str
    values: Mapping[str, Any] = field(default_factory=dict)
    hash: str = ""
    batch: str = "b"
    source: str = "shop.things"
    observed: int = 0
    """When it was observed; after `merge_duplicates`, when it was observed last."""
    place: int = 0
    first: int | None = None
    """When it was first observed; None if that is `observed`."""

    @property
    def identity(self) -> tuple[str, int, str, str, str]:
        """What distinguishes an observation from others."""
        return (self.key, self.sequence, self.operation, self.source, self.hash)

    @property
    def first_observed(self) -> int:
        """When it was first observed."""
        return self.observed if self.first is None else self.first


def build_history(
    events: Iterable[Event], columns: Sequence[str], overwritten: Sequence[str] = ()
) -> list[tuple[Any, ...]]:
    """Versions as (key, *columns, from, to, current, number, batch), sorted by key and time."""
    versions: list[tuple[Any, ...]] = []
    for key, own in sorted(group_by_key(events).items()):
        versions += _build_key_history(key, own, columns, overwritten)
    return versions


def merge_duplicates(events: Iterable[Event]) -> list[Event]:
    """Each event once, with its latest observation, and with the time and the batch of its first one."""
    merged: dict[tuple[Any, ...], Event] = {}
    for event in events:
        before = merged.get(event.identity, event)
        last = max(before, event, key=lambda each: (each.observed, each.place))
        first = min(before, event, key=lambda each: (each.first_observed, each.batch))
        merged[event.identity] = replace(last, batch=first.batch, first=first.first_observed)
    return list(merged.values())


def find_state(events: Iterable[Event], key: str, instant: int) -> dict[str, Any] | None:
    """The values of a thing as of an instant; None if it does not exist then."""
    own = [event for event in merge_duplicates(events) if event.key == key and event.sequence <= instant]
    states = list(_replay_states(sort_events(own)))
    return states[-1][1] if states and states[-1][2] else None


def sort_events(events: Iterable[Event]) -> list[Event]:
    """Events of one key in the order in which they apply."""
    return sorted(
        events,
        key=lambda each: (
            each.sequence,
            each.observed,
            each.place,
            TIES[each.operation],
            each.source,
            each.hash,
        ),
    )


def _replay_states(ordered: Iterable[Event]) -> Iterator[tuple[Event, dict[str, Any], bool]]:
    """After each event: the event, the values of the thing, and whether it exists."""
    state: dict[str, Any] = {}
    present_in: set[str] = set()
    alive = False
    for event in ordered:
        match event.operation:
            case "U":
                state, alive = {**state, **event.values}, True
                present_in.add(event.source)
            case "P":
                present_in.add(event.source)
            case "A":
                present_in.discard(event.source)
            case "D":
                alive = False
                present_in.clear()
        yield event, state, alive and bool(present_in)


def group_by_key(events: Iterable[Event]) -> dict[str, list[Event]]:
    """The events of each key, without duplicates."""
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

    versions: list[dict[str, Any]] = []
    for place, (event, state, exists) in enumerate(_replay_states(ordered)):
        if place + 1 < len(ordered) and ordered[place + 1].sequence == event.sequence:
            continue
        tracked = {name: state.get(name) for name in columns if name not in overwritten}
        is_open = bool(versions) and versions[-1]["to"] == OPEN
        if is_open and (not exists or versions[-1]["state"] != tracked):
            versions[-1]["to"] = event.sequence
            is_open = False
        if exists and not is_open:
            versions.append({"state": tracked, "from": event.sequence, "to": OPEN, "batch": event.batch})
    rows = []
    for number, version in enumerate(versions, 1):
        values = [newest.get(name) if name in overwritten else version["state"][name] for name in columns]
        current = version["to"] == OPEN
        rows.append((key, *values, version["from"], version["to"], current, number, version["batch"]))
    return rows
