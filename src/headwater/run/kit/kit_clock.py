"""A clock whose waits take no time, so that a test need not wait for a service that asks for a pause."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from headwater.clock import SystemClock

_PAUSE = 0.001
"""Seconds that a wait really takes, so that other threads can go on."""


class KitClock:
    """The clock of this machine, moved ahead by all waits so far."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self._ahead = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """This instant, UTC."""
        return self._system.now() + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._system.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Move the clock ahead instead of waiting."""
        self.advance(timedelta(seconds=max(0.0, seconds)))
        self._system.sleep(_PAUSE)

    def advance(self, span: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self._ahead += span.total_seconds()
