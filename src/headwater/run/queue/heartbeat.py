"""The heartbeat of a worker, in a thread, so that a worker that waits for a process is not called dead."""

from __future__ import annotations

from threading import Event, Thread

from headwater.errors import StateError
from headwater.ledger.queue.workers import WorkerRegister

_BEATS = 5
"""The number of heartbeats in the time after which a worker counts as dead."""


class WorkerHeartbeat:
    """Beats until `close`."""

    def __init__(self, register: WorkerRegister, worker: int, *, dead_after: float) -> None:
        self._register = register
        self._worker = worker
        self._interval = dead_after / _BEATS
        self._is_closed = Event()
        self._is_lost = Event()
        self._thread = Thread(target=self._run, name=f"heartbeat of worker {worker}", daemon=True)
        self._thread.start()

    @property
    def is_lost(self) -> bool:
        """Whether another worker has called this one dead, or will, because the thread has died."""
        return self._is_lost.is_set() or not self._thread.is_alive()

    def close(self) -> None:
        """Beat no more."""
        self._is_closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_closed.wait(self._interval):
            try:
                is_alive = self._register.beat(self._worker)
            except StateError:
                # The next beat comes soon, and perhaps the server is back by then.
                continue
            if not is_alive:
                self._is_lost.set()
                return
