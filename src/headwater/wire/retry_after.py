"""Reads how long a service asks to wait: seconds, an HTTP date or an epoch, in the usual headers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_HEADERS = ("retry-after", "x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset")
# A number above thirty years is an epoch and not a wait. The same gap identifies milliseconds.
_EPOCH_FROM = 1e9
_EPOCH_MS_FROM = 1e12


def read_retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """The seconds to wait from now on, or None if the response does not say.

    An instant is relative to the `Date` of the response, so that different clocks do not matter. Without `Date`, to `now`.
    """
    for name in _HEADERS:
        if (text := headers.get(name, "").strip()) and (
            seconds := _parse_seconds(text, _read_date(headers, now))
        ) is not None:
            return max(0.0, seconds)
    return None


def parse_http_date(text: str) -> datetime | None:
    """Parse an HTTP date (any of its three formats) as UTC. Return None if it is not one."""
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _read_date(headers: Mapping[str, str], now: datetime) -> datetime:
    return parse_http_date(headers.get("date", "")) or now


def _parse_seconds(text: str, sent_at: datetime) -> float | None:
    try:
        number = float(text)
    except ValueError:
        instant = parse_http_date(text)
        return None if instant is None else (instant - sent_at).total_seconds()
    if not number < float("inf"):
        return None
    if number >= _EPOCH_MS_FROM:
        number /= 1000
    return number - sent_at.timestamp() if number >= _EPOCH_FROM else number
