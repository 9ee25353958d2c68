"""A clock that does not sleep through a request to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from headwater.clock import Clock
from headwater.errors import Cancelled

_NAP = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptibleClock:
    """The clock of a run: waits for budgets and `Retry-After` end in Cancelled when `stop` says so."""

    clock: Clock
    stop: Callable[[], bool]

    def now(self) -> datetime:
        """This instant, UTC."""
        return self.clock.now()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, in naps."""
        until = self.clock.monotonic() + seconds
        while (remaining := until - self.clock.monotonic()) > 0:
            if self.stop():
                raise Cancelled
            self.clock.sleep(min(remaining, _NAP))
