"""The clock: the only module that reads the time, and the only one that sleeps. All instants are UTC."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import AfterValidator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The start of a window without a start."""

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of an open version."""

_MICROSECOND = timedelta(microseconds=1)
_IMPORTED_AT = time.monotonic()
_START_TIME = 19
"""The position of the start time of a process in `/proc/self/stat`, after its name."""


class Clock(Protocol):
    """The time and sleeping, so that tests can replace both."""

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
    """The clock of this machine."""

    def now(self) -> datetime:
        """This instant, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def measure_process_age() -> float:
    """Seconds since this process started. Where the system does not say, since this module was imported."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return time.monotonic() - _IMPORTED_AT


def to_micros(instant: datetime) -> int:
    """Convert an instant to microseconds since 1970, UTC: the sequence of an event."""
    return (instant - EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """Convert microseconds since 1970 to an instant."""
    return EPOCH + value * _MICROSECOND


def parse_instant(text: str) -> datetime:
    """Parse an ISO 8601 date or instant as UTC (no offset: UTC). Raise ValueError if it is neither."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        # "month must be in 1..12" helps, "Invalid isoformat string" does not.
        msg = f"`{text}` is not a date or an instant" if "isoformat" in str(error) else str(error)
        raise ValueError(msg) from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """Format an instant as `2026-03-01T08:00:00Z`, with microseconds only if they are not zero."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


_SPAN = re.compile(r"(\d+)(ms|s|m|h|d)")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_span(text: str) -> timedelta:
    """Parse a duration such as `30d`, `5m` or `90s`. Raise ValueError if it is not one."""
    match = _SPAN.fullmatch(text.strip())
    if not match:
        msg = f"`{text}` is not a duration (use 90s, 5m, 12h or 30d)"
        raise ValueError(msg)
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        msg = f"`{text}` is longer than any calendar"
        raise ValueError(msg) from None


def check_chunk(text: str) -> str:
    """Return `text` if it is a duration longer than zero. Raise ValueError otherwise."""
    if not parse_span(text):
        msg = f"`{text}` is zero, and a chunk must be longer (e.g. 30d)"
        raise ValueError(msg)
    return text


def _check_span(text: str) -> str:
    parse_span(text)
    return text


Span = Annotated[str, AfterValidator(_check_span)]
"""A duration in a declaration: `90s`, `5m`, `12h`, `30d`."""

Chunk = Annotated[str, AfterValidator(check_chunk)]
"""A duration in a declaration that is longer than zero."""
