"""The simulated calendar: when the history begins, and how timestamps are formatted."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

START = datetime(2025, 9, 1, tzinfo=UTC)
"""Instant (UTC) at which every simulated history begins."""

DAY = timedelta(days=1)


@functools.lru_cache(maxsize=4096)
def format_timestamp(instant: datetime) -> str:
    """Format an instant as the service does: UTC, to the second, with a `Z`."""
    return instant.isoformat()[:19] + "Z"


def format_http_date(instant: datetime) -> str:
    """Format an instant for an HTTP header."""
    return format_datetime(instant, usegmt=True)


def add_months(instant: datetime, months: int) -> datetime:
    """Return the same day and hour, `months` months later. The day must exist in every month (1 to 28)."""
    years, month = divmod(instant.month - 1 + months, 12)
    return instant.replace(year=instant.year + years, month=month + 1)
