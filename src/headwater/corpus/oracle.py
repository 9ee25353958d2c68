"""History, told a second time: plain dicts and sorted lists, written from the text of the design and from nothing else.

An event is what was seen of a thing at an instant; the history of a thing is what one gets by looking at its events in
order. There is no SQL here, and no code is shared with the product.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OPEN = 253402214400000000
"""9999-12-31 00:00:00 UTC in microseconds: the end of what has not ended."""

TIES = {"D": 0, "U": 1, "A": 2}
"""Which of two events at one instant comes first."""


@dataclass(frozen=True)
class Seen:
    """One observation: an update with what it knows, a delete, or an absence."""

    key: str
    sequence: int
    operation: str
    values: Mapping[str, Any] = field(default_factory=dict)
    hash: str = ""
    batch: str = "b"

    @property
    def identity(self) -> tuple[str, int, str, str]:
        """What tells one observation from another."""
        return (self.key, self.sequence, self.operation, self.hash)


def history(events: Iterable[Seen], columns: Sequence[str], overwritten: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    """Versions as (key, *columns, from, to, current, number, batch), sorted by key and time."""
    told: list[tuple[Any, ...]] = []
    for key, own in sorted(_by_key(events).items()):
        told += _of_one(key, own, columns, overwritten)
    return told


def state_at(events: Iterable[Seen], key: str, instant: int) -> dict[str, Any] | None:
    """What is known of a thing right at an instant; None when it is not there."""
    alive = False
    state: dict[str, Any] = {}
    for event in _in_order(event for event in events if event.key == key and event.sequence <= instant):
        if event.operation == "U":
            state |= event.values
        alive = event.operation == "U"
    return state if alive else None


def _by_key(events: Iterable[Seen]) -> dict[str, list[Seen]]:
    once: dict[tuple[Any, ...], Seen] = {}
    for event in events:
        before = once.get(event.identity)
        if before is None or event.batch < before.batch:
            once[event.identity] = event
    groups: dict[str, list[Seen]] = {}
    for event in once.values():
        groups.setdefault(event.key, []).append(event)
    return groups


def _in_order(events: Iterable[Seen]) -> list[Seen]:
    return sorted(events, key=lambda event: (event.sequence, TIES[event.operation], event.hash))


def _of_one(key: str, events: list[Seen], columns: Sequence[str], overwritten: Sequence[str]) -> list[tuple[Any, ...]]:
    ordered = _in_order(events)
    newest: dict[str, Any] = {}
    for event in ordered:
        if event.operation == "U":
            newest |= {name: value for name, value in event.values.items() if name in overwritten}

    found: list[dict[str, Any]] = []
    state: dict[str, Any] = {}
    for place, event in enumerate(ordered):
        if event.operation == "U":
            state |= event.values
        if place + 1 < len(ordered) and ordered[place + 1].sequence == event.sequence:
            continue
        tracked = {name: state.get(name) for name in columns if name not in overwritten}
        running = bool(found) and found[-1]["to"] == OPEN
        if running and (event.operation != "U" or found[-1]["state"] != tracked):
            found[-1]["to"] = event.sequence
            running = False
        if event.operation == "U" and not running:
            found.append({"state": tracked, "from": event.sequence, "to": OPEN, "batch": event.batch})
    rows = []
    for number, version in enumerate(found, 1):
        values = [newest.get(name) if name in overwritten else version["state"][name] for name in columns]
        current = version["to"] == OPEN
        rows.append((key, *values, version["from"], version["to"], current, number, version["batch"]))
    return rows
