"""The only place that knows what time it is, and the only one that waits. All instants are UTC."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol

from pydantic import AfterValidator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Where a window begins that has no beginning."""

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Where an open version ends."""

_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Time and patience, so that a test can own both."""

    def now(self) -> datetime:
        """This instant, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """This instant, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970, UTC: the sequence of an event."""
    return (instant - EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """The instant that `value` microseconds since 1970 stand for."""
    return EPOCH + value * _MICROSECOND


def parse_instant(text: str) -> datetime:
    """An ISO 8601 date or instant as UTC (no offset: UTC); ValueError otherwise."""
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """`2026-03-01T08:00:00Z`, with microseconds only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


_SPAN = re.compile(r"(\d+)(ms|s|m|h|d)")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_span(text: str) -> timedelta:
    """`30d`, `5m`, `90s` as a time span; ValueError otherwise."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        msg = f"`{text}` is not a duration (use 90s, 5m, 12h or 30d)"
        raise ValueError(msg)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _check_span(text: str) -> str:
    parse_span(text)
    return text


Span = Annotated[str, AfterValidator(_check_span)]
"""A span of time in a declaration: `90s`, `5m`, `12h`, `30d`."""
