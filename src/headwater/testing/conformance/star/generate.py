"""Events of a whole company drawn by chance: few things that point at each other, few days, much that is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from random import Random
from typing import Any

from headwater.testing.conformance.history.oracle import Event
from headwater.testing.conformance.shrink import Batches
from headwater.testing.conformance.star.load import EntityEvent, make_event

APART = 10
"""Examples have ids of their own: so far from one to the next."""

DAYS = ("2024-01-01", "2024-01-20", "2024-02-10", "2024-03-05", "2024-03-05 12:00")
MONTHS = tuple(f"2024-{month:02}-01" for month in range(1, 9))
WORDS = (None, "", "x", "y", "internal")
IDS = (None, 1, 2, 2, 3)
AMOUNTS = (None, 0, 1, 2)
DATES = (None, *map(date.fromisoformat, ("2023-12-15", "2024-01-10", "2024-02-20", "2024-05-01")))
STARTS = (None, *(datetime.combine(day, time(8)) for day in DATES if day))

VALUES: dict[str, dict[str, tuple[Any, ...]]] = {
    "company": {"name": WORDS, "segment": WORDS, "parent_id": IDS, "number": (None, None, "1", "2")},
    "address": {"company_id": IDS, "city": WORDS, "phone": WORDS},
    "member": {"name": WORDS, "cost": AMOUNTS},
    "entry": {
        "member_id": IDS, "approver_id": IDS, "company_id": IDS, "started_at": STARTS, "hours": AMOUNTS,
        "rate": AMOUNTS, "option": (None, "Billable", "NoCharge"),
    },
    "product": {"company_id": IDS, "amount": AMOUNTS, "sold_on": DATES},
    "agreement": {"company_id": IDS, "amount": AMOUNTS, "starts_on": DATES, "ends_on": DATES},
}  # fmt: skip
"""What each column of each entity may hold."""


def draw_company(chance: Random) -> Batches[EntityEvent]:
    """Events of every entity, in two or three batches."""
    return tuple(
        tuple(_draw_event(chance, chance.choice(tuple(VALUES)), DAYS) for _ in range(chance.randint(4, 20)))
        for _ in range(chance.randint(2, 3))
    )


def draw_owners(chance: Random) -> Batches[EntityEvent]:
    """Companies and their addresses, through eight months and in any order."""
    drawn = [_draw_event(chance, "company", MONTHS) for _ in range(chance.randint(1, 8))]
    drawn += [_draw_event(chance, "address", MONTHS) for _ in range(chance.randint(0, 8))]
    chance.shuffle(drawn)
    return _split_in_half(chance, drawn)


def draw_work(chance: Random) -> Batches[EntityEvent]:
    """Members, and what they worked at some instant of their lives or outside of them, in any order."""
    drawn = [_draw_event(chance, "member", MONTHS) for _ in range(chance.randint(1, 8))]
    drawn += [_draw_entry(chance) for _ in range(chance.randint(1, 6))]
    chance.shuffle(drawn)
    return _split_in_half(chance, drawn)


def draw_work_before_members(chance: Random) -> Batches[EntityEvent]:
    """The work first, its members afterwards."""
    entries = tuple(_draw_entry(chance) for _ in range(chance.randint(1, 5)))
    return entries, *_split_in_half(
        chance, [_draw_event(chance, "member", MONTHS) for _ in range(chance.randint(1, 6))]
    )


def relabel_keys(batches: Batches[EntityEvent], number: int) -> Batches[EntityEvent]:
    """The same events with other ids. What they say keeps its hash: ties end the same way, whatever the id."""
    return tuple(tuple(_shift_ids(one, number * APART) for one in batch) for batch in batches)


def _split_in_half(chance: Random, drawn: list[EntityEvent]) -> Batches[EntityEvent]:
    border = chance.randint(0, len(drawn))
    return tuple(tuple(part) for part in (drawn[:border], drawn[border:]) if part)


def _draw_event(chance: Random, entity: str, days: tuple[str, ...]) -> EntityEvent:
    values = {name: chance.choice(choices) for name, choices in VALUES[entity].items()}
    key, when, operation = chance.randint(1, 2), chance.choice(days), chance.choice("UUUUD")
    return EntityEvent(
        entity=entity, event=make_event(entity, key, when, operation, batch=f"b{chance.randint(1, 6)}", **values)
    )


def _draw_entry(chance: Random) -> EntityEvent:
    """Work at the border of two months, within one, or at no instant."""
    day = chance.choice(MONTHS)
    started = chance.choice((None, datetime.fromisoformat(day), datetime.fromisoformat(f"{day[:8]}15")))
    values: dict[str, Any] = {"member_id": chance.choice(IDS), "started_at": started, "hours": chance.choice(AMOUNTS)}
    when = chance.choice(("2024-09-01", "2024-09-02"))
    return EntityEvent(
        entity="entry", event=make_event("entry", chance.randint(1, 4), when, chance.choice("UUUUUD"), **values)
    )


def _shift_ids(said: EntityEvent, by: int) -> EntityEvent:
    return replace(said, event=_with_ids(said.event, by))


def _with_ids(event: Event, by: int) -> Event:
    values = {name: _shift_id(name, value, by) for name, value in event.values.items()}
    number = int(event.key.removeprefix("desk:"))
    return replace(event, key=f"desk:{number + by}", values=values)


def _shift_id(name: str, value: Any, by: int) -> Any:
    if value is None:
        return None
    if name.endswith("_id"):
        return value + by
    return str(int(value) + by) if name == "number" else value
