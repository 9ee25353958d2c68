"""Keeps a lease while work is in progress: a heartbeat renews it, and a lost lease raises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from headwater.clock import Clock, SystemClock
from headwater.errors import StateError
from headwater.ledger.base import Ledger
from headwater.ledger.records import Lease

SECONDS = 60.0
"""How long a lease is valid without a heartbeat."""


class HeldLease:
    """A lease in use. Call `check` before each write that only the holder may make."""

    def __init__(self, lease: Lease, *, valid_until: float) -> None:
        self._lock = Lock()
        self._lease = lease
        self._valid_until = valid_until
        self._lost: StateError | None = None

    @property
    def lease(self) -> Lease:
        """The lease with its newest expiry."""
        with self._lock:
            return self._lease

    @property
    def valid_until(self) -> float:
        """When it ends unless renewed, in seconds of the monotonic clock. The expiry may be in the time of a server."""
        with self._lock:
            return self._valid_until

    @property
    def lost_error(self) -> StateError | None:
        """Why the lease was lost; None while it is valid."""
        with self._lock:
            return self._lost

    def check(self) -> None:
        """Raise StateError if the lease was lost."""
        if (lost := self.lost_error) is not None:
            raise lost

    def mark_renewed(self, lease: Lease, *, valid_until: float) -> None:
        """Store the renewed lease."""
        with self._lock:
            self._lease = lease
            self._valid_until = valid_until

    def mark_lost(self, error: StateError) -> None:
        """Store why the lease was lost."""
        with self._lock:
            self._lost = error


@contextmanager
def keep_lease(
    ledger: Ledger,
    lease: Lease,
    *,
    seconds: float = SECONDS,
    on_lost: Callable[[StateError], None] | None = None,
    clock: Clock | None = None,
) -> Iterator[HeldLease]:
    """Renew `lease` every third of `seconds` until the block ends, then release it.

    If the lease is lost, the thread of the heartbeat calls `on_lost` at once, and a block that ends without another
    error raises StateError.
    """
    clock = clock or SystemClock()
    held_lease, block_ended = HeldLease(lease, valid_until=clock.monotonic() + seconds), Event()
    heartbeat = Thread(
        target=_run_heartbeat,
        args=(ledger, held_lease, block_ended),
        kwargs={"seconds": seconds, "on_lost": on_lost, "clock": clock},
        name=f"lease {lease.tenant} {lease.scope}",
        daemon=True,
    )
    heartbeat.start()
    try:
        yield held_lease
    finally:
        block_ended.set()
        heartbeat.join()
        if held_lease.lost_error is None:
            ledger.release(held_lease.lease)
    held_lease.check()


def _run_heartbeat(
    ledger: Ledger,
    held_lease: HeldLease,
    block_ended: Event,
    *,
    seconds: float,
    on_lost: Callable[[StateError], None] | None,
    clock: Clock,
) -> None:
    while not block_ended.wait(seconds / 3):
        lost = _renew(ledger, held_lease, seconds=seconds, clock=clock)
        if lost is not None:
            held_lease.mark_lost(lost)
            if on_lost is not None:
                on_lost(lost)
            return


def _renew(ledger: Ledger, held_lease: HeldLease, *, seconds: float, clock: Clock) -> StateError | None:
    lease, details = held_lease.lease, "another run holds it, or it was released"
    valid_until = clock.monotonic() + seconds
    try:
        renewed = ledger.renew(lease, seconds=seconds)
    except StateError as error:
        # a busy or full disk may recover before the lease expires
        if clock.monotonic() < held_lease.valid_until:
            return None
        renewed, details = None, f"the renewal failed: {error.message} {error.details}"
    if renewed is None:
        return StateError(
            f"the lease on tenant `{lease.tenant}` was lost: another run may hold it now.",
            where=f"{lease.tenant} {lease.scope}",
            details=details,
            hint="run again; committed data is safe",
        )
    held_lease.mark_renewed(renewed, valid_until=valid_until)
    return None
