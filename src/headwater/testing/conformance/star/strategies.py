"""Random events of a small company: few entities that refer to each other, few days, and many missing values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from typing import Any

from headwater.testing.conformance.batches import Batches, group_by_batch
from headwater.testing.conformance.draw import Draw
from headwater.testing.conformance.history.oracle import Event
from headwater.testing.conformance.star.load import EntityEvent, make_event

ID_RANGE = 10
"""The distance between the ids of two examples."""

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
"""The values of each column of each entity."""

NumberedEvent = tuple[int, EntityEvent]
"""The number of a batch, and an event that arrives in it."""


def _draw_event(draw: Draw, entity: str, days: tuple[str, ...], batches: int) -> NumberedEvent:
    number, key, operation = draw.choose_number(1, batches), draw.choose_number(1, 2), draw.choose("UUUUD")
    day, batch = draw.choose(days), f"b{draw.choose_number(1, 6)}"
    values = {name: draw.choose(choices) for name, choices in VALUES[entity].items()} if operation == "U" else {}
    return number, EntityEvent(entity=entity, event=make_event(entity, key, day, operation, batch=batch, **values))


def _draw_entry(draw: Draw) -> NumberedEvent:
    """Work on the first or in the middle of a month, or without a time."""
    number, key, operation = draw.choose_number(1, 2), draw.choose_number(1, 4), draw.choose("UUUUUD")
    day, changed_on = draw.choose(MONTHS), draw.choose(("2024-09-01", "2024-09-02"))
    started = draw.choose((None, datetime.fromisoformat(day), datetime.fromisoformat(f"{day[:8]}15")))
    values: dict[str, Any] = {"member_id": draw.choose(IDS), "started_at": started, "hours": draw.choose(AMOUNTS)}
    return number, EntityEvent(entity="entry", event=make_event("entry", key, changed_on, operation, **values))


_DRAW_ANY: dict[str, Callable[[Draw], NumberedEvent]] = {
    entity: partial(_draw_event, entity=entity, days=DAYS, batches=3) for entity in VALUES
}
_DRAW_MONTHLY: dict[str, Callable[[Draw], NumberedEvent]] = {
    entity: partial(_draw_event, entity=entity, days=MONTHS, batches=2) for entity in ("company", "address", "member")
}


def draw_company(draw: Draw) -> Batches[EntityEvent]:
    """Events of every entity, in up to three batches."""
    pairs = draw.draw_list(_DRAW_ANY["company"], max_size=8)
    for entity in list(VALUES)[1:]:
        pairs += draw.draw_list(_DRAW_ANY[entity], min_size=0, max_size=8)
    return group_by_batch(pairs)


def draw_owners(draw: Draw) -> Batches[EntityEvent]:
    """Companies and their addresses in eight months, in any order."""
    companies = draw.draw_list(_DRAW_MONTHLY["company"], max_size=8)
    return group_by_batch([*companies, *draw.draw_list(_DRAW_MONTHLY["address"], min_size=0, max_size=8)])


def draw_work(draw: Draw) -> Batches[EntityEvent]:
    """Members, and their work before, within or after their versions, in any order."""
    entries = draw.draw_list(_draw_entry, max_size=6)
    return group_by_batch([*draw.draw_list(_DRAW_MONTHLY["member"], max_size=8), *entries])


def draw_work_before_members(draw: Draw) -> Batches[EntityEvent]:
    """The work first, its members afterwards."""
    entries = draw.draw_list(_draw_entry, max_size=5)
    members = draw.draw_list(_DRAW_MONTHLY["member"], max_size=6)
    return (tuple(entry for _, entry in entries), *group_by_batch(members))


def relabel_keys(batches: Batches[EntityEvent], number: int) -> Batches[EntityEvent]:
    """The same events with other ids. Their hashes stay the same, so that ties are resolved in the same way for each id."""
    return tuple(tuple(_shift_ids(item, number * ID_RANGE) for item in batch) for batch in batches)


def _shift_ids(item: EntityEvent, distance: int) -> EntityEvent:
    return replace(item, event=_with_ids(item.event, distance))


def _with_ids(event: Event, distance: int) -> Event:
    values = {name: _shift_id(name, value, distance) for name, value in event.values.items()}
    number = int(event.key.removeprefix("desk:"))
    return replace(event, key=f"desk:{number + distance}", values=values)


def _shift_id(name: str, value: Any, distance: int) -> Any:
    if value is None:
        return None
    if name.endswith("_id"):
        return value + distance
    return str(int(value) + distance) if name == "number" else value
