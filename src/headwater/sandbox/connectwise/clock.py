"""The simulated calendar: where the history begins, and how its instants are written."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

START = datetime(2025, 9, 1, tzinfo=UTC)
"""The instant at which every simulated history begins."""

DAY = timedelta(days=1)


@functools.lru_cache(maxsize=4096)
def stamp(instant: datetime) -> str:
    """An instant as the service writes it, to the second."""
    return instant.isoformat()[:19] + "Z"


def http_date(instant: datetime) -> str:
    """An instant as an HTTP header writes it."""
    return format_datetime(instant, usegmt=True)


def months_after(instant: datetime, months: int) -> datetime:
    """The same day and hour, some months later (the day must exist in every month: 1 to 28)."""
    years, month = divmod(instant.month - 1 + months, 12)
    return instant.replace(year=instant.year + years, month=month + 1)
