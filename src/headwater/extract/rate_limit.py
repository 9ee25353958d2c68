"""Rate limits that all clients of a scope share: requests a minute, concurrent requests, and pauses that the service sets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from headwater.clock import Clock
from headwater.wire.limits import Limits

if TYPE_CHECKING:
    from pyrate_limiter import InMemoryBucket

_MINUTE_MS = 60_000


class RateLimiter:
    """The rate limit of one scope. Threads and clients can share it."""

    def __init__(self, limits: Limits) -> None:
        self._slots = threading.BoundedSemaphore(limits.concurrency)
        self._requests_per_minute = limits.requests_per_minute
        self._lock = threading.Lock()
        self._open_at = 0.0

    @contextmanager
    def reserve_slot(self, clock: Clock) -> Iterator[None]:
        """Wait until one more request may be sent. Send it inside of this context."""
        with self._slots:
            while (wait := self._wait(clock.monotonic())) > 0:
                clock.sleep(wait)
            yield

    def pause(self, until: float) -> None:
        """Send no requests in this scope before `until`, in seconds of the monotonic clock."""
        with self._lock:
            self._open_at = max(self._open_at, until)

    @cached_property
    def _bucket(self) -> InMemoryBucket:
        # The first request imports the library, because it is heavy and most commands send no request. Needs the lock.
        from pyrate_limiter import InMemoryBucket, Rate  # noqa: PLC0415

        return InMemoryBucket([Rate(self._requests_per_minute, _MINUTE_MS)])

    def _wait(self, now: float) -> float:
        """The seconds to wait before the next try, or 0 if a request was granted."""
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
            # A bucket in memory returns a number. Only remote buckets, which are not used here, return an awaitable.
            return max(1, waiting) / 1000 if isinstance(waiting, int) else 1.0


class RateLimiters:
    """The rate limiters of one process, by scope. Create it once and pass it to every client, so that clients share them."""

    def __init__(self) -> None:
        self._by_scope: dict[str, RateLimiter] = {}
        self._lock = threading.Lock()

    def get(self, scope: str, limits: Limits) -> RateLimiter:
        """The rate limiter of `scope`. The first call for a scope sets its limits."""
        with self._lock:
            if scope not in self._by_scope:
                self._by_scope[scope] = RateLimiter(limits)
            return self._by_scope[scope]
