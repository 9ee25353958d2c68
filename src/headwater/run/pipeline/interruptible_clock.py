"""A clock whose sleep ends when a stop is requested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from headwater.clock import Clock
from headwater.errors import Cancelled

_NAP = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptibleClock:
    """The clock of a run. Waits for rate limits and `Retry-After` raise Cancelled if a stop is requested."""

    clock: Clock
    stop: Callable[[], bool]

    def now(self) -> datetime:
        """The current time, UTC."""
        return self.clock.now()

    def monotonic(self) -> float:
        """Monotonic time in seconds."""
        return self.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep in short intervals, and raise Cancelled if a stop is requested."""
        until = self.clock.monotonic() + seconds
        while (remaining := until - self.clock.monotonic()) > 0:
            if self.stop():
                raise Cancelled
            self.clock.sleep(min(remaining, _NAP))
