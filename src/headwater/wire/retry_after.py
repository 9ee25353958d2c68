"""How long a service asks us to wait: seconds, an HTTP date or an epoch, in the headers that services use for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_HEADERS = ("retry-after", "x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset")
# No service asks for a wait of thirty years, and no epoch lies below it; the same gap tells milliseconds.
_EPOCH_FROM = 1e9
_EPOCH_MS_FROM = 1e12


def read_retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds from now that the service wants to be left alone; None when it does not say.

    An instant counts from the answer's own `Date`, so that two clocks which differ do no harm; without one, from `now`.
    """
    for name in _HEADERS:
        if (text := headers.get(name, "").strip()) and (
            seconds := _parse_seconds(text, _read_date(headers, now))
        ) is not None:
            return max(0.0, seconds)
    return None


def parse_http_date(text: str) -> datetime | None:
    """An HTTP date (any of its three spellings) as UTC; None when it is none."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _read_date(headers: Mapping[str, str], now: datetime) -> datetime:
    return parse_http_date(headers.get("date", "")) or now


def _parse_seconds(text: str, sent: datetime) -> float | None:
    try:
        number = float(text)
    except ValueError:
        instant = parse_http_date(text)
        return None if instant is None else (instant - sent).total_seconds()
    if not number < float("inf"):
        return None
    if number >= _EPOCH_MS_FROM:
        number /= 1000
    return number - sent.timestamp() if number >= _EPOCH_FROM else number
