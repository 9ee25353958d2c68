"""Random events of a history: few keys, few instants, and values that are easily confused, so that conflicts are frequent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from headwater.testing.conformance.batches import Batches, group_by_batch
from headwater.testing.conformance.draw import Draw
from headwater.testing.conformance.history.entity import make_event
from headwater.testing.conformance.history.oracle import Event
from headwater.testing.tables import ABSENT

VALUES: dict[str, tuple[Any, ...]] = {
    "name": (ABSENT, ABSENT, ABSENT, None, "", "a", "b", "Þ,'|"),
    "size": (ABSENT, ABSENT, None, 0, 1),
    "note": (ABSENT, ABSENT, ABSENT, None, "", "x", "y"),
}
"""The values of each column: often missing, NULL, the empty text, and a text with characters that separate texts elsewhere."""
EPOCHS = (0, 1767225600000000)
"""The start of the instants, in microseconds since 1970: 1970, and a day in 2026, with more digits than a float can hold."""
INSTANTS = 9
READS = tuple(
    (source, batch, observed)
    for source in ("shop.things", "shop.things", "shop.others")
    for batch, observed in (("b1", 1), ("b2", 2), ("b3", 3))
)
"""The source, the batch and the time of an observation. Two of three have one source: some errors need a single source."""
OPERATIONS = (*(("U", place) for place in (0, 0, 0, 1, 2)), ("D", 0), ("D", 1), *(("A", -1),) * 2, ("P", -1))
"""Operations, and the place in the read."""
BATCHES = 4

NumberedEvent = tuple[int, Event]
"""The number of a batch, and an event that arrives in it."""


def draw_event(draw: Draw) -> Event:
    """An update of some columns, a delete, an absence or a presence, of one of two keys, in one of two sources."""
    operation, place = draw.choose(OPERATIONS)
    key, sequence = draw.choose(("p:1", "p:2")), draw.choose_number(1, INSTANTS)
    source, batch, observed = draw.choose(READS)
    values = _draw_values(draw) if operation == "U" else {}
    return make_event(key, sequence, operation, batch, source=source, observed=observed, place=place, **values)


def _draw_values(draw: Draw) -> dict[str, Any]:
    values = {name: draw.choose(choices) for name, choices in VALUES.items()}
    return {name: value for name, value in values.items() if value is not ABSENT}


def _draw_batch_number(draw: Draw) -> int:
    return draw.choose_number(1, BATCHES)


def _draw_numbered_event(draw: Draw) -> NumberedEvent:
    return _draw_batch_number(draw), draw_event(draw)


def _draw_numbered_events(draw: Draw, most: int = 12) -> list[NumberedEvent]:
    start, pairs = draw.choose(EPOCHS), draw.draw_list(_draw_numbered_event, max_size=most)
    return [(number, replace(event, sequence=start + event.sequence)) for number, event in pairs]


def _draw_repeat(draw: Draw) -> tuple[int, int]:
    return _draw_batch_number(draw), draw.choose_number(0, 11)


def draw_events(draw: Draw, most: int = 12) -> tuple[Event, ...]:
    """Up to `most` events."""
    return tuple(event for _, event in _draw_numbered_events(draw, most))


def draw_any_order(draw: Draw) -> Batches[Event]:
    """Events in any order, some of them twice."""
    pairs = _draw_numbered_events(draw)
    repeats = draw.draw_list(_draw_repeat, min_size=0, max_size=4)
    events = [event for _, event in pairs]
    return group_by_batch([*pairs, *((number, events[place % len(events)]) for number, place in repeats)])


def draw_in_order(draw: Draw) -> Batches[Event]:
    """Events in the order of their instants. Events of one instant can be in two batches."""
    pairs = _draw_numbered_events(draw)
    events = sorted((event for _, event in pairs), key=lambda event: event.sequence)
    return group_by_batch(zip(sorted(number for number, _ in pairs), events, strict=True))


def draw_reads(draw: Draw) -> Batches[Event]:
    """Events in the order in which they were observed, a batch for each read."""
    return group_by_batch((event.observed, event) for event in draw_events(draw))


def _draw_text(draw: Draw) -> tuple[int, dict[str, Any]]:
    values: tuple[dict[str, Any], ...] = ({}, {"name": ""}, {"name": None}, {"name": "first", "size": 1, "note": "n"})
    return _draw_batch_number(draw), draw.choose(values)


def draw_null_and_empty(draw: Draw) -> Batches[Event]:
    """Updates of one thing, in any order: NULL, the empty text, no value, and all values."""
    updates = draw.draw_list(_draw_text, max_size=6)
    return group_by_batch(
        (number, make_event("p:1", instant, **values)) for instant, (number, values) in enumerate(updates, 1)
    )


def _draw_operation(draw: Draw) -> tuple[int, str]:
    return _draw_batch_number(draw), draw.choose("UUDA")


def draw_intervals(draw: Draw) -> Batches[Event]:
    """Equal updates, deletes and absences, each at its own instant, in any order."""
    values: dict[str, Any] = {"name": "same", "size": 1, "note": "n"}
    operations = draw.draw_list(_draw_operation, max_size=7)
    return group_by_batch(
        (number, make_event("p:1", instant, operation, **values))
        for instant, (number, operation) in enumerate(operations, 1)
    )


def draw_two_batches(draw: Draw) -> Batches[Event]:
    """The stored events, and a few that arrive later."""
    return draw_events(draw), draw_events(draw, most=5)


def draw_new_column(draw: Draw) -> Batches[Event]:
    """Events, and later events whose updates have a colour."""
    return draw_events(draw), tuple(_add_colour(draw_events(draw)))


def _add_colour(events: Iterable[Event]) -> list[Event]:
    return [
        replace(event, values={**event.values, "colour": "red"}, hash=f"{event.hash}+")
        if event.operation == "U"
        else event
        for event in events
    ]


def relabel_keys(batches: Batches[Event], number: int) -> Batches[Event]:
    """The same events with other keys. Their hashes stay the same, so that ties are resolved in the same way for each key."""
    return tuple(
        tuple(_with_key(event, f"p:{number}.{event.key.removeprefix('p:')}") for event in batch) for batch in batches
    )


def _with_key(event: Event, key: str) -> Event:
    values = {**event.values, "thing_id": key} if "thing_id" in event.values else event.values
    return replace(event, key=key, values=values)
