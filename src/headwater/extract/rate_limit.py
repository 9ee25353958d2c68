"""Budgets that everyone in a scope shares: requests a minute, requests at once, and a pause that the service asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from headwater.clock import Clock
from headwater.wire.limits import Limits

_MINUTE_MS = 60_000


class RateLimiter:
    """The right to send a request now, for one scope. Safe to share between threads and clients."""

    def __init__(self, limits: Limits) -> None:
        from pyrate_limiter import InMemoryBucket, Rate  # noqa: PLC0415  (heavy, and no command that reads nothing needs it)

        self._slots = threading.BoundedSemaphore(limits.concurrency)
        self._bucket = InMemoryBucket([Rate(limits.requests_per_minute, _MINUTE_MS)])
        self._lock = threading.Lock()
        self._open_at = 0.0

    @contextmanager
    def request_slot(self, clock: Clock) -> Iterator[None]:
        """Inside, one request may be sent. Waits until there is a slot, a request left, and no pause."""
        with self._slots:
            while (wait := self._wait(clock.monotonic())) > 0:
                clock.sleep(wait)
            yield

    def pause(self, until: float) -> None:
        """Nobody in this scope may ask before `until`, on the clock's monotonic scale."""
        with self._lock:
            self._open_at = max(self._open_at, until)

    def _wait(self, now: float) -> float:
        """Seconds to wait before trying once more; 0 when a request was granted."""
        from pyrate_limiter import RateItem  # noqa: PLC0415

        with self._lock:
            if now < self._open_at:
                return self._open_at - now
            at = int(now * 1000)
            self._bucket.leak(at)
            item = RateItem("request", at)
            if self._bucket.put(item):
                return 0.0
            waiting = self._bucket.waiting(item)
            # A bucket in memory answers at once; only remote ones, which are not used here, would be awaited.
            return max(1, waiting) / 1000 if isinstance(waiting, int) else 1.0


class RateLimiters:
    """The budgets of one process, by scope. Made once and passed to every client, so that they meet in it."""

    def __init__(self) -> None:
        self._by_scope: dict[str, RateLimiter] = {}
        self._lock = threading.Lock()

    def get(self, scope: str, limits: Limits) -> RateLimiter:
        """The budget of `scope`; `limits` count for whoever comes first."""
        with self._lock:
            if scope not in self._by_scope:
                self._by_scope[scope] = RateLimiter(limits)
            return self._by_scope[scope]
