"""A lease that is kept while work goes on: renewed by a heartbeat, and loud when it was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from headwater.clock import Clock, SystemClock
from headwater.errors import StateError
from headwater.ledger.base import Ledger
from headwater.ledger.records import Lease

SECONDS = 60.0
"""How long a lease is held without a heartbeat."""


class HeldLease:
    """A lease in use. `check` before whatever must not be done by two."""

    def __init__(self, lease: Lease) -> None:
        self._lock = Lock()
        self._lease = lease
        self._lost: StateError | None = None

    @property
    def lease(self) -> Lease:
        """The lease as last renewed."""
        with self._lock:
            return self._lease

    @property
    def lost_error(self) -> StateError | None:
        """Why the lease is no longer ours; None while it is."""
        with self._lock:
            return self._lost

    def check(self) -> None:
        """Nothing while the lease is ours; StateError once it was lost."""
        if (lost := self.lost_error) is not None:
            raise lost

    def mark_renewed(self, lease: Lease) -> None:
        """Remember the lease as renewed."""
        with self._lock:
            self._lease = lease

    def mark_lost(self, why: StateError) -> None:
        """Remember that it was lost."""
        with self._lock:
            self._lost = why


@contextmanager
def keep_lease(
    ledger: Ledger,
    lease: Lease,
    *,
    seconds: float = SECONDS,
    on_lost: Callable[[StateError], None] | None = None,
    clock: Clock | None = None,
) -> Iterator[HeldLease]:
    """Renew `lease` three times in its life until the block ends, then give it back.

    When it is lost, `on_lost` is called at once, from the heartbeat's thread; and a block that ends without an error
    of its own ends in a StateError.
    """
    kept, ended = HeldLease(lease), Event()
    beat = Thread(
        target=_run_heartbeat,
        args=(ledger, kept, ended),
        kwargs={"seconds": seconds, "on_lost": on_lost, "clock": clock or SystemClock()},
        name=f"lease {lease.tenant} {lease.scope}",
        daemon=True,
    )
    beat.start()
    try:
        yield kept
    finally:
        ended.set()
        beat.join()
        if kept.lost_error is None:
            ledger.release(kept.lease)
    kept.check()


def _run_heartbeat(
    ledger: Ledger,
    kept: HeldLease,
    ended: Event,
    *,
    seconds: float,
    on_lost: Callable[[StateError], None] | None,
    clock: Clock,
) -> None:
    while not ended.wait(seconds / 3):
        lost = _renew(ledger, kept, seconds=seconds, clock=clock)
        if lost is not None:
            kept.mark_lost(lost)
            if on_lost is not None:
                on_lost(lost)
            return


def _renew(ledger: Ledger, kept: HeldLease, *, seconds: float, clock: Clock) -> StateError | None:
    lease, details = kept.lease, "another run holds it, or it was released"
    try:
        renewed = ledger.renew(lease, seconds=seconds)
    except StateError as error:
        # a busy or a full disk may pass while the lease still has time to live
        if clock.now() < lease.expires_at:
            return None
        renewed, details = None, f"the renewal failed: {error.message} {error.details}"
    if renewed is None:
        return StateError(
            f"the lease on tenant `{lease.tenant}` was lost: another run may hold it now.",
            where=f"{lease.tenant} {lease.scope}",
            details=details,
            hint="run again; committed data is safe",
        )
    kept.mark_renewed(renewed)
    return None
