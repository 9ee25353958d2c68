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
from headwater.testing.conformance.history.oracle import Seen, history
from headwater.testing.conformance.star.load import Said
from headwater.testing.conformance.star.model import STAR

FROM, TO = -5, -4
"""Where a version of the oracle begins and ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member as the dimension should have it."""

    key: str
    versions: tuple[tuple[int, str | None], ...]
    """From when on, and under which name; none when nobody but the work knows of it."""

    def at(self, instant: int | None) -> int:
        """Which version counts: the valid one, before the first the first, in a gap the last before it."""
        if instant is None:
            return len(self.versions) - 1
        return max(0, sum(begins <= instant for begins, _ in self.versions) - 1)


def surrogate(key: str, begins: int | None) -> int:
    """The key of the version that begins then; None: of the first."""
    start = "first" if begins is None else str(begins)
    return int(hashlib.md5(f"{start}|{key}".encode(), usedforsecurity=False).hexdigest()[:15], 16) % 2**53


def people(said: Iterable[Said]) -> dict[str, Person]:
    """The members that events tell of, by entity key."""
    found: dict[str, list[tuple[int, str | None]]] = {}
    for row in history(_of(said, "member"), ("name",)):
        found.setdefault(row[0], []).append((row[FROM], row[1]))
    return {key: Person(key=key, versions=tuple(versions)) for key, versions in found.items()}


def pointing(said: Sequence[Said]) -> list[tuple[Any, ...]]:
    """For each row of work: its id, the key it should have, the member's name, whether it is inferred; and the same today."""
    known = people(said)
    columns = tuple(STAR.declarations.entities["entry"].columns)
    rows = []
    for row in history(_of(said, "entry"), columns):
        if row[-3]:
            values = dict(zip(columns, row[1:], strict=False))
            started = values["started_at"]
            instant = None if started is None else to_micros(started.replace(tzinfo=UTC))
            rows.append((values["entry_id"], *_answer(values, instant, known), *_answer(values, None, known)))
    return sorted(rows)


def _answer(values: dict[str, Any], instant: int | None, known: dict[str, Person]) -> tuple[Any, ...]:
    if values["member_id"] is None:
        return -1, "Unknown", False
    key = f"psa:{values['member_id']}"
    person = known.get(key)
    if person is None:
        return surrogate(key, None), None, True
    place = person.at(instant)
    begins, name = person.versions[place]
    return surrogate(key, begins if place else None), name, False


def company_at(key: str, instant: int, said: Sequence[Said]) -> tuple[Any, ...] | None:
    """Segment, city, name and phone of a company at an instant; None when it is not there."""
    names = tuple(STAR.declarations.entities["company"].columns)
    own = history((event for event in _of(said, "company") if event.key == key), names)
    found = next((row for row in own if row[FROM] <= instant < row[TO]), None)
    if found is None:
        return None
    there = dict(zip(names, found[1:], strict=False))
    near = [
        row
        for row in history(_of(said, "address"), ("company_id", "city", "phone"))
        if row[1] == there["company_id"] and row[FROM] <= instant < row[TO]
    ]
    best = max(near, key=lambda row: (row[FROM], row[0]), default=(None,) * 4)
    return there["segment"], best[2], there["name"], best[3]


def _of(said: Iterable[Said], entity: str) -> list[Seen]:
    return [one.seen for one in said if one.entity == entity]
