"""The context that every part of a run gets, in addition to its tenant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headwater.errors import Cancelled
from headwater.events import EventListener


def never_stop() -> bool:
    """Never request a stop."""
    return False


def keep_lease() -> None:
    """Do not check the lease: the caller holds it until the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """The listener of a run, how it can be stopped, and what it may do."""

    listen: EventListener
    stop: Callable[[], bool] = never_stop
    """Whether a stop was requested."""
    check_lease: Callable[[], None] = keep_lease
    """Raises StateError if the lease was lost."""
    allow_drop: bool = False
    """Apply deletes even if a sweep finds more than `max_drop` allows."""

    def check(self) -> None:
        """Raise Cancelled if a stop was requested, or StateError if the lease was lost."""
        self.check_lease()
        if self.stop():
            raise Cancelled
