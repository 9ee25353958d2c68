"""Rate limits that all clients of a scope share: requests a minute, concurrent requests, and pauses that the service sets.

A limit of a connection belongs to one process, because only the holder of a tenant's lease reads. A limit of an account or a
host is shared with other processes, through the ledger.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from headwater.clock import Clock
from headwater.ledger.base import Ledger
from headwater.wire.limits import Limits

if TYPE_CHECKING:
    from pyrate_limiter import InMemoryBucket

_MINUTE_MS = 60_000

_BLOCKS_PER_MINUTE = 20
"""Into how many blocks the ledger divides a limit."""

_MARGIN = 1.0
"""Seconds before the end of a block in which no request is sent, so that a slow start of a request is still in time."""

_LONGEST_WAIT = 5.0
"""The longest wait before the ledger is asked again: another process may have ended without its whole block."""


class Quota(Protocol):
    """The requests of one minute. The caller holds a lock."""

    def take(self, now: float) -> float:
        """Take one request, and return 0, or return the seconds to wait before the next try."""
        ...

    def pause(self, seconds: float) -> None:
        """Let other processes of the scope pause, too."""
        ...


class ProcessQuota:
    """The requests of one minute of this process."""

    def __init__(self, limits: Limits) -> None:
        self._requests_per_minute = limits.requests_per_minute

    def take(self, now: float) -> float:
        """Take one request, and return 0, or return the seconds to wait before the next try."""
        from pyrate_limiter import RateItem  # noqa: PLC0415

        at = int(now * 1000)
        self._bucket.leak(at)
        item = RateItem("request", at)
        if self._bucket.put(item):
            return 0.0
        waiting = self._bucket.waiting(item)
        # A bucket in memory returns a number. Only remote buckets, which are not used here, return an awaitable.
        return max(1, waiting) / 1000 if isinstance(waiting, int) else 1.0

    def pause(self, seconds: float) -> None:
        """Do nothing: no other process shares this quota."""

    @cached_property
    def _bucket(self) -> InMemoryBucket:
        # The first request imports the library, because it is heavy and most commands send no request. Needs the lock.
        from pyrate_limiter import InMemoryBucket, Rate  # noqa: PLC0415

        return InMemoryBucket([Rate(self._requests_per_minute, _MINUTE_MS)])


class LedgerQuota:
    """The requests of one minute of all processes that use a ledger. They are taken from it in blocks."""

    def __init__(self, scope: str, limits: Limits, ledger: Ledger) -> None:
        self._scope = scope
        self._limit = limits.requests_per_minute
        self._ledger = ledger
        self._left = 0
        self._valid_until = 0.0

    def take(self, now: float) -> float:
        """Take one request, and return 0, or return the seconds to wait before the next try."""
        if self._left == 0 or now >= self._valid_until:
            block = max(1, self._limit // _BLOCKS_PER_MINUTE)
            grant = self._ledger.grant_requests(self._scope, limit=self._limit, count=block)
            if grant.count == 0:
                return min(max(grant.seconds, 0.01), _LONGEST_WAIT)
            self._left, self._valid_until = grant.count, now + grant.seconds - _MARGIN
        self._left -= 1
        return 0.0

    def pause(self, seconds: float) -> None:
        """Let other processes pause, too, and drop the rest of the block."""
        self._left = 0
        self._ledger.pause_requests(self._scope, seconds=seconds)


class RateLimiter:
    """The rate limit of one scope. Threads and clients can share it."""

    def __init__(self, limits: Limits, quota: Quota | None = None) -> None:
        self._slots = threading.BoundedSemaphore(limits.concurrency)
        self._quota = quota or ProcessQuota(limits)
        self._lock = threading.Lock()
        self._open_at = 0.0

    @contextmanager
    def reserve_slot(self, clock: Clock) -> Iterator[None]:
        """Wait until one more request may be sent. Send it inside of this context."""
        with self._slots:
            while (wait := self._wait(clock.monotonic())) > 0:
                clock.sleep(wait)
            yield

    def pause(self, seconds: float, clock: Clock) -> None:
        """Send no requests in this scope for so long."""
        with self._lock:
            self._open_at = max(self._open_at, clock.monotonic() + seconds)
            self._quota.pause(seconds)

    def _wait(self, now: float) -> float:
        """The seconds to wait before the next try, or 0 if a request was granted."""
        with self._lock:
            return self._open_at - now if now < self._open_at else self._quota.take(now)


class RateLimiters:
    """The rate limiters of one run, by scope. Create it once and pass it to every client, so that clients share them."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger
        self._by_scope: dict[str, RateLimiter] = {}
        self._lock = threading.Lock()

    def get(self, scope: str, limits: Limits) -> RateLimiter:
        """The rate limiter of `scope`. The first call for a scope sets its limits."""
        with self._lock:
            if scope not in self._by_scope:
                shared = None if limits.scope == "connection" else self._ledger
                quota = LedgerQuota(scope, limits, shared) if shared is not None else None
                self._by_scope[scope] = RateLimiter(limits, quota)
            return self._by_scope[scope]
