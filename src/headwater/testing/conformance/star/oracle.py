"""The star, told a second time: which member a row of work means, and what a member is at an instant. No SQL, as the oracle.

Surrogate keys are computed here once more, from the words of the design: 60 bits of the MD5 of `first|<entity key>` for a
first version, of `<microseconds>|<entity key>` for a later one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from headwater.clock import to_micros
from headwater.testing.conformance.history.oracle import Event, build_history
from headwater.testing.conformance.star.load import EntityEvent
from headwater.testing.conformance.star.model import STAR

FROM, TO = -5, -4
"""Where a version of the oracle begins and ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member as the dimension should have it."""

    key: str
    versions: tuple[tuple[int, str | None], ...]
    """From when on, and under which name; none when nobody but the work knows of it."""

    def version_at(self, instant: int | None) -> int:
        """Which version counts: the valid one, before the first the first, in a gap the last before it."""
        if instant is None:
            return len(self.versions) - 1
        return max(0, sum(begins <= instant for begins, _ in self.versions) - 1)


def expected_key(key: str, begins: int | None) -> int:
    """The key of the version that begins then; None: of the first."""
    start = "first" if begins is None else str(begins)
    return int(hashlib.md5(f"{start}|{key}".encode(), usedforsecurity=False).hexdigest()[:15], 16) % 2**53


def build_members(said: Iterable[EntityEvent]) -> dict[str, Person]:
    """The members that events tell of, by entity key."""
    found: dict[str, list[tuple[int, str | None]]] = {}
    for row in build_history(_events_of(said, "member"), ("name",)):
        found.setdefault(row[0], []).append((row[FROM], row[1]))
    return {key: Person(key=key, versions=tuple(versions)) for key, versions in found.items()}


def expected_lookups(said: Sequence[EntityEvent]) -> list[tuple[Any, ...]]:
    """For each row of work: its id, the key it should have, the member's name, whether it is inferred; and the same today."""
    known = build_members(said)
    columns = tuple(STAR.declarations.entities["entry"].columns)
    rows = []
    for row in build_history(_events_of(said, "entry"), columns):
        if row[-3]:
            values = dict(zip(columns, row[1:], strict=False))
            started = values["started_at"]
            instant = None if started is None else to_micros(started.replace(tzinfo=UTC))
            rows.append((values["entry_id"], *_lookup(values, instant, known), *_lookup(values, None, known)))
    return sorted(rows)


def _lookup(values: dict[str, Any], instant: int | None, known: dict[str, Person]) -> tuple[Any, ...]:
    if values["member_id"] is None:
        return -1, "Unknown", False
    key = f"desk:{values['member_id']}"
    person = known.get(key)
    if person is None:
        return expected_key(key, None), None, True
    place = person.version_at(instant)
    begins, name = person.versions[place]
    return expected_key(key, begins if place else None), name, False


def company_at(key: str, instant: int, said: Sequence[EntityEvent]) -> tuple[Any, ...] | None:
    """Segment, city, name and phone of a company at an instant; None when it is not there."""
    names = tuple(STAR.declarations.entities["company"].columns)
    own = build_history((event for event in _events_of(said, "company") if event.key == key), names)
    found = next((row for row in own if row[FROM] <= instant < row[TO]), None)
    if found is None:
        return None
    there = dict(zip(names, found[1:], strict=False))
    near = [
        row
        for row in build_history(_events_of(said, "address"), ("company_id", "city", "phone"))
        if row[1] == there["company_id"] and row[FROM] <= instant < row[TO]
    ]
    best = max(near, key=lambda row: (row[FROM], row[0]), default=(None,) * 4)
    return there["segment"], best[2], there["name"], best[3]


def _events_of(said: Iterable[EntityEvent], entity: str) -> list[Event]:
    return [one.event for one in said if one.entity == entity]
