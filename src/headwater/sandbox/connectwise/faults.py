"""Faults on request: their kinds, the pending faults, and malformed records."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

MALFORMED_VALUE = "ekki tala"
"""The default value of a malformed field: Icelandic for `not a number`."""

_REQUEST_SETTINGS = ("path", "times", "after")

KINDS: dict[str, tuple[str, ...]] = {
    "error": (*_REQUEST_SETTINGS, "status"),
    "timeout": (*_REQUEST_SETTINGS, "seconds"),
    "truncated": _REQUEST_SETTINGS,
    "reset": _REQUEST_SETTINGS,
    "rate_limit": (*_REQUEST_SETTINGS, "retry_after", "as"),
    "malformed": (*_REQUEST_SETTINGS, "records", "field", "value"),
    "malformed_record": ("path", "id", "field", "value"),
    "repeated_page": _REQUEST_SETTINGS,
    "repeated_link": _REQUEST_SETTINGS,
    "foreign_next": (*_REQUEST_SETTINGS, "url"),
    "ignored_filter": _REQUEST_SETTINGS,
    "mutate_while_paging": (*_REQUEST_SETTINGS, "records"),
    "late_rows": ("path", "records", "days"),
    "circle": (),
    "drop_contact": ("id",),
}
"""Every kind of fault and its settings."""

PERSISTENT_KINDS = ("malformed_record", "ignored_filter", "mutate_while_paging")
"""Kinds that stay until they are cleared, unless `times` is set."""

_COUNT_SETTINGS = ("records", "days", "status", "id")

IMMEDIATE_KINDS = ("late_rows", "circle", "drop_contact")
"""Kinds that change records once, when they are posted."""


class FaultError(ValueError):
    """A fault is invalid."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """A fault that applies to matching requests."""

    number: int
    kind: str
    path: str | None = None
    times: int | None = None
    """How many more requests it affects. None: until it is cleared."""
    after: int = 0
    """How many matching requests succeed first."""
    settings: dict[str, Any] = field(default_factory=dict)


class FaultQueue:
    """The pending faults."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.pending: list[Fault] = []

    def add(self, body: dict[str, Any]) -> Fault:
        """Add a fault. Raises FaultError for an unknown kind or setting."""
        fault = read_fault(body, next(self._numbers))
        self.pending.append(fault)
        return fault

    def take(self, kind: str, path: str) -> Fault | None:
        """Return the pending fault of this kind that applies to a request of `path`, and count the request."""
        for fault in self.pending:
            if fault.kind == kind and fault.path in (None, path) and self._count_request(fault):
                return fault
        return None

    def _count_request(self, fault: Fault) -> bool:
        if fault.after > 0:
            fault.after -= 1
            return False
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.pending.remove(fault)
        return True


def read_fault(body: dict[str, Any], number: int) -> Fault:
    """Read a fault from a request body. Raises FaultError for an unknown kind or setting."""
    kind = body.get("kind")
    if kind not in KINDS:
        raise FaultError(f"unknown kind {kind!r}; known: {', '.join(KINDS)}")
    settings = {name: value for name, value in body.items() if name != "kind"}
    unknown = sorted(set(settings) - set(KINDS[kind]))
    if unknown:
        raise FaultError(f"{kind} does not take {', '.join(unknown)}; it takes: {', '.join(KINDS[kind]) or 'nothing'}")
    if kind == "malformed_record" and not {"path", "id"} <= set(settings):
        raise FaultError("malformed_record needs path and id")
    path, after = settings.pop("path", None), settings.pop("after", 0)
    times = settings.pop("times", None if kind in PERSISTENT_KINDS else 1)
    _check_counts(times, after, settings)
    return Fault(number=number, kind=kind, path=_strip_path(path), times=times, after=after, settings=settings)


def corrupt_rows(rows: list[bytes], settings: dict[str, Any], *, fields: str) -> list[bytes]:
    """Return a page whose first `records` records (default 1) have a field with another type."""
    count = int(settings.get("records", 1))
    return [corrupt_row(row, settings, fields=fields) if at < count else row for at, row in enumerate(rows)]


def corrupt_row(row: bytes, settings: dict[str, Any], *, fields: str) -> bytes:
    """Return a record with one malformed field: the `field` setting (if requested), or the first number."""
    record = msgspec.json.decode(row)
    path = str(settings.get("field") or _find_number_field(record)).split("/")
    names = {field.strip().split("/")[0] for field in fields.split(",")}
    if fields and path[0] not in names:
        return row
    parent = record
    for step in path[:-1]:
        parent = parent.setdefault(step, {})
    parent[path[-1]] = settings.get("value", MALFORMED_VALUE)
    return msgspec.json.encode(record)


def _find_number_field(record: dict[str, Any]) -> str:
    def find_first(matches: Callable[[Any], bool]) -> str | None:
        return next((name for name, value in record.items() if name != "id" and matches(value)), None)

    number = find_first(lambda value: isinstance(value, (int, float)) and not isinstance(value, bool))
    return number or find_first(lambda value: isinstance(value, bool)) or "id"


def _check_counts(times: Any, after: Any, settings: dict[str, Any]) -> None:
    counts = {"times": times, "after": after} | {name: settings.get(name) for name in _COUNT_SETTINGS}
    for name, value in counts.items():
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise FaultError(f"{name} must be a whole number, not {value!r}")
    for name in ("seconds", "retry_after"):
        if not isinstance(settings.get(name, 0), (int, float)):
            raise FaultError(f"{name} must be a number, not {settings[name]!r}")
    if settings.get("as", "seconds") not in ("seconds", "date"):
        raise FaultError(f"as must be seconds or date, not {settings['as']!r}")


def _strip_path(path: Any) -> str | None:
    if path is None:
        return None
    if not isinstance(path, str):
        raise FaultError(f"path must be text, not {path!r}")
    return path.strip("/")
