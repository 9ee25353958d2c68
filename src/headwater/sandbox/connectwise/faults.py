"""Faults on demand: which there are, which wait, and what the lasting ones do to a page."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

NONSENSE = "ekki tala"
"""What a malformed field holds unless told otherwise: the words `not a number`."""

_PAGE = ("path", "times", "after")

KINDS: dict[str, tuple[str, ...]] = {
    "error": (*_PAGE, "status"),
    "timeout": (*_PAGE, "seconds"),
    "truncated": _PAGE,
    "reset": _PAGE,
    "rate_limit": (*_PAGE, "retry_after", "as"),
    "malformed": (*_PAGE, "records", "field", "value"),
    "malformed_record": ("path", "id", "field", "value"),
    "repeated_page": _PAGE,
    "repeated_link": _PAGE,
    "foreign_next": (*_PAGE, "url"),
    "ignored_filter": _PAGE,
    "mutate_while_paging": (*_PAGE, "records"),
    "late_rows": ("path", "records", "days"),
    "circle": (),
    "drop_contact": ("id",),
}
"""Every kind and the settings it takes."""

LASTING = ("malformed_record", "ignored_filter", "mutate_while_paging")
"""Kinds that stay until they are cleared, unless `times` says otherwise."""

_COUNTS = ("records", "days", "status", "id")

AT_ONCE = ("late_rows", "circle", "drop_contact")
"""Kinds that happen to the records once, when they are posted."""


class FaultError(ValueError):
    """A fault that cannot be meant."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault that waits for its requests."""

    number: int
    kind: str
    path: str | None = None
    times: int | None = None
    """How many requests it still spoils; None: until it is cleared."""
    after: int = 0
    """How many matching requests it lets pass first."""
    settings: dict[str, Any] = field(default_factory=dict)


class Faults:
    """The faults that wait."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.waiting: list[Fault] = []

    def add(self, body: dict[str, Any]) -> Fault:
        """Let a fault wait; FaultError if there is no such kind or setting."""
        fault = read_fault(body, next(self._numbers))
        self.waiting.append(fault)
        return fault

    def take(self, kind: str, path: str) -> Fault | None:
        """The fault of this kind that this request meets, counted as used."""
        for fault in self.waiting:
            if fault.kind == kind and fault.path in (None, path) and self._is_due(fault):
                return fault
        return None

    def _is_due(self, fault: Fault) -> bool:
        if fault.after > 0:
            fault.after -= 1
            return False
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
        return True


def read_fault(body: dict[str, Any], number: int) -> Fault:
    """A fault as posted; FaultError if there is no such kind or setting."""
    kind = body.get("kind")
    if kind not in KINDS:
        raise FaultError(f"unknown kind {kind!r}; known: {', '.join(KINDS)}")
    settings = {name: value for name, value in body.items() if name != "kind"}
    strange = sorted(set(settings) - set(KINDS[kind]))
    if strange:
        raise FaultError(f"{kind} does not take {', '.join(strange)}; it takes: {', '.join(KINDS[kind]) or 'nothing'}")
    if kind == "malformed_record" and not {"path", "id"} <= set(settings):
        raise FaultError("malformed_record needs path and id")
    path, after = settings.pop("path", None), settings.pop("after", 0)
    times = settings.pop("times", None if kind in LASTING else 1)
    _check_counts(times, after, settings)
    return Fault(number=number, kind=kind, path=_trimmed(path), times=times, after=after, settings=settings)


def malformed_rows(rows: list[bytes], settings: dict[str, Any], *, fields: str) -> list[bytes]:
    """A page in which the first `records` records (1) hold something of another type."""
    count = int(settings.get("records", 1))
    return [malformed(row, settings, fields=fields) if at < count else row for at, row in enumerate(rows)]


def malformed(row: bytes, settings: dict[str, Any], *, fields: str) -> bytes:
    """A record with one field of another type: the one that is named (if it was asked for), or the first number."""
    record = msgspec.json.decode(row)
    path = str(settings.get("field") or _number_field(record)).split("/")
    asked = {field.strip().split("/")[0] for field in fields.split(",")}
    if fields and path[0] not in asked:
        return row
    inside = record
    for step in path[:-1]:
        inside = inside.setdefault(step, {})
    inside[path[-1]] = settings.get("value", NONSENSE)
    return msgspec.json.encode(record)


def _number_field(record: dict[str, Any]) -> str:
    def first(fits: Callable[[Any], bool]) -> str | None:
        return next((name for name, value in record.items() if name != "id" and fits(value)), None)

    number = first(lambda value: isinstance(value, (int, float)) and not isinstance(value, bool))
    return number or first(lambda value: isinstance(value, bool)) or "id"


def _check_counts(times: Any, after: Any, settings: dict[str, Any]) -> None:
    counts = {"times": times, "after": after} | {name: settings.get(name) for name in _COUNTS}
    for name, value in counts.items():
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise FaultError(f"{name} must be a whole number, not {value!r}")
    for name in ("seconds", "retry_after"):
        if not isinstance(settings.get(name, 0), (int, float)):
            raise FaultError(f"{name} must be a number, not {settings[name]!r}")
    if settings.get("as", "seconds") not in ("seconds", "date"):
        raise FaultError(f"as must be seconds or date, not {settings['as']!r}")


def _trimmed(path: Any) -> str | None:
    if path is None:
        return None
    if not isinstance(path, str):
        raise FaultError(f"path must be text, not {path!r}")
    return path.strip("/")
