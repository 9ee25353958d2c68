"""Events drawn by chance: few keys, few instants and values that are easily confused, so that everything meets everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from headwater.testing.conformance.history.entity import make_event
from headwater.testing.conformance.history.oracle import Event
from headwater.testing.conformance.shrink import Batches

NAMES = (None, "", "a", "b", "Þ,'|")
"""Nothing, the empty text, and a text with what parts texts elsewhere."""
SIZES = (None, 0, 1)
NOTES = (None, "", "x", "y")
EPOCHS = (0, 1767225600000000)
"""Instants are counted from here, in microseconds: 1970, and a day of these years, whose digits a float cannot hold."""
INSTANTS = 9


SOURCES = ("shop.things", "shop.others")


def draw_events(chance: Random, *, most: int = 12, operations: str = "UUUUUDAAP") -> list[Event]:
    """Up to `most` events of two keys."""
    start = chance.choice(EPOCHS)
    return [draw_event(chance, start, operations) for _ in range(chance.randint(1, most))]


def draw_event(chance: Random, start: int, operations: str) -> Event:
    """An update that knows some columns, a delete, an absence or a presence, of one of two sources."""
    operation = chance.choice(operations)
    said: dict[str, Sequence[Any]] = {"name": NAMES, "size": SIZES, "note": NOTES}
    known: dict[str, Any] = {name: chance.choice(values) for name, values in said.items() if chance.random() < 0.6}
    key, sequence = chance.choice(("p:1", "p:2")), start + chance.randint(1, INSTANTS)
    # Two of three observations are of one source, so that what holds for a single one meets chance as well.
    source = SOURCES[0] if chance.random() < 0.6 else SOURCES[1]
    batch, observed = chance.choice((("b1", 1), ("b2", 2), ("b3", 3)))
    place = chance.randint(0, 2) if operation in "UD" else -1
    return make_event(key, sequence, operation, batch, source=source, observed=observed, place=place, **known)


def cut_batches(chance: Random, arriving: list[Event]) -> Batches[Event]:
    """The events in batches of one to five."""
    batches = []
    while arriving:
        size = chance.randint(1, 5)
        batches.append(tuple(arriving[:size]))
        arriving = arriving[size:]
    return tuple(batches)


def draw_any_order(chance: Random) -> Batches[Event]:
    """Events in any order, some of them twice."""
    drawn = draw_events(chance)
    drawn += chance.choices(drawn, k=chance.randint(0, 4))
    chance.shuffle(drawn)
    return cut_batches(chance, drawn)


def draw_in_order(chance: Random) -> Batches[Event]:
    """Events in the order of their instants, no instant in two batches: nothing arrives late."""
    drawn = sorted(draw_events(chance), key=lambda event: event.sequence)
    borders = sorted(chance.sample(range(INSTANTS + 1), k=2))
    first = drawn[0].sequence - drawn[0].sequence % 100
    spans: list[list[Event]] = [[], [], []]
    for event in drawn:
        spans[sum(event.sequence - first > border for border in borders)].append(event)
    return tuple(tuple(span) for span in spans if span)


def draw_null_and_empty(chance: Random) -> Batches[Event]:
    """Three updates of one thing after the first: one says NULL, one the empty text, one nothing."""
    said: list[dict[str, Any]] = [{"name": None}, {"name": ""}, {}]
    chance.shuffle(said)
    drawn = [make_event("p:1", 1, name="first", size=1, note="n")]
    drawn += [make_event("p:1", sequence, **known) for sequence, known in enumerate(said, 2)]
    return cut_batches(chance, chance.sample(drawn, k=len(drawn)))


def draw_stretches(chance: Random) -> Batches[Event]:
    """Updates that all say the same, deletes and absences, each at an instant of its own."""
    same: dict[str, Any] = {"name": "same", "size": 1, "note": "n"}
    drawn = [make_event("p:1", at, chance.choice("UUDA"), **same) for at in range(1, chance.randint(2, 8))]
    return cut_batches(chance, chance.sample(drawn, k=len(drawn)))


def draw_two_batches(chance: Random) -> Batches[Event]:
    """What was there, and what arrives later."""
    return tuple(draw_events(chance)), tuple(draw_events(chance, most=5))


def draw_new_column(chance: Random) -> Batches[Event]:
    """What was there, and events of a time in which things have a colour, too."""
    before, later = draw_events(chance), draw_events(chance)
    painted = [
        replace(one, values={**one.values, "colour": "red"}, hash=f"{one.hash}+") if one.operation == "U" else one
        for one in later
    ]
    return tuple(before), tuple(painted)


def relabel_keys(batches: Batches[Event], number: int) -> Batches[Event]:
    """The same events of other keys. What they say keeps its hash: ties end the same way, whatever the key."""
    return tuple(
        tuple(_with_key(one, f"p:{number}.{one.key.removeprefix('p:')}") for one in batch) for batch in batches
    )


def _with_key(event: Event, key: str) -> Event:
    values = {**event.values, "thing_id": key} if "thing_id" in event.values else event.values
    return replace(event, key=key, values=values)
