"""What every part of a run is given beside its tenant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headwater.errors import Cancelled
from headwater.events import EventListener


def never_stop() -> bool:
    """Nobody asks to stop."""
    return False


def keep_lease() -> None:
    """The lease cannot be lost: whoever calls holds it until the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Who listens to a run, who may stop it, and what it may do."""

    listen: EventListener
    stop: Callable[[], bool] = never_stop
    """Whether a stop was requested."""
    check_lease: Callable[[], None] = keep_lease
    """Raises LeaseLost once another process has the lease."""
    allow_drop: bool = False
    """Delete even if a sweep finds more records gone than its guard allows."""

    def check(self) -> None:
        """Nothing while the run may go on; StopRequested or LeaseLost otherwise."""
        self.check_lease()
        if self.stop():
            raise Cancelled
