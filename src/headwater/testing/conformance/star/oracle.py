"""The reference implementation of the star schema: the member of a row of work, and a company as of an instant. Without SQL.

Computes surrogate keys again, as the design defines them: 60 bits of the MD5 of `first|<entity key>` for the first version, of
`<microseconds>|<entity key>` for a later one.
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
"""The places of the start and the end in a version of `build_history`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The expected versions of a member."""

    key: str
    versions: tuple[tuple[int, str | None], ...]
    """The start and the name of each version; empty if only work refers to the member."""

    def find_version(self, instant: int | None) -> int:
        """The place of the version for an instant: the valid one, else the last before it, else the first. None: the last one."""
        if instant is None:
            return len(self.versions) - 1
        return max(0, sum(start <= instant for start, _ in self.versions) - 1)


def build_expected_key(key: str, start: int | None) -> int:
    """The surrogate key of the version that starts then; None: of the first version."""
    prefix = "first" if start is None else str(start)
    return int(hashlib.md5(f"{prefix}|{key}".encode(), usedforsecurity=False).hexdigest()[:15], 16) % 2**53


def build_members(items: Iterable[EntityEvent]) -> dict[str, Person]:
    """The members of the events, by entity key."""
    members: dict[str, list[tuple[int, str | None]]] = {}
    for row in build_history(_list_events(items, "member"), ("name",)):
        members.setdefault(row[0], []).append((row[FROM], row[1]))
    return {key: Person(key=key, versions=tuple(versions)) for key, versions in members.items()}


def build_expected_lookups(items: Sequence[EntityEvent]) -> list[tuple[Any, ...]]:
    """Each row of work: its id, the expected key, the name of the member, whether it is inferred; and these three as of now."""
    members = build_members(items)
    columns = tuple(STAR.declarations.entities["entry"].columns)
    rows = []
    for row in build_history(_list_events(items, "entry"), columns):
        if row[-3]:
            values = dict(zip(columns, row[1:], strict=False))
            started = values["started_at"]
            instant = None if started is None else to_micros(started.replace(tzinfo=UTC))
            rows.append(
                (values["entry_id"], *_find_member(values, instant, members), *_find_member(values, None, members))
            )
    return sorted(rows)


def _find_member(values: dict[str, Any], instant: int | None, members: dict[str, Person]) -> tuple[Any, ...]:
    if values["member_id"] is None:
        return -1, "Unknown", False
    key = f"desk:{values['member_id']}"
    person = members.get(key)
    if person is None:
        return build_expected_key(key, None), None, True
    place = person.find_version(instant)
    start, name = person.versions[place]
    return build_expected_key(key, start if place else None), name, False


def find_company(key: str, instant: int, items: Sequence[EntityEvent]) -> tuple[Any, ...] | None:
    """Segment, city, name and phone of a company as of an instant; None if it does not exist then."""
    names = tuple(STAR.declarations.entities["company"].columns)
    versions = build_history((event for event in _list_events(items, "company") if event.key == key), names)
    version = next((row for row in versions if row[FROM] <= instant < row[TO]), None)
    if version is None:
        return None
    company = dict(zip(names, version[1:], strict=False))
    addresses = [
        row
        for row in build_history(_list_events(items, "address"), ("company_id", "city", "phone"))
        if row[1] == company["company_id"] and row[FROM] <= instant < row[TO]
    ]
    address = max(addresses, key=lambda row: (row[FROM], row[0]), default=(None,) * 4)
    return company["segment"], address[2], company["name"], address[3]


def _list_events(items: Iterable[EntityEvent], entity: str) -> list[Event]:
    return [item.event for item in items if item.entity == entity]
