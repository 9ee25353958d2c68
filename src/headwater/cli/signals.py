"""Handles Ctrl-C: the first one stops after the current page, the second one exits immediately."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_NOTE = "Stopping after the current page; committed data is safe. Press Ctrl-C again to exit immediately.\n"


class StopSignal:
    """Whether a stop was requested with Ctrl-C or SIGTERM."""

    def __init__(self, note: str) -> None:
        self._is_set = False
        self._note = note

    def __call__(self) -> bool:
        return self._is_set

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Record the first signal, and exit at the second."""
        del number, frame
        if self._is_set:
            # Threads may be in a request or a statement. Everything needed is committed, so an exit loses nothing.
            os._exit(130)
        self._is_set = True
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, self._note.encode())


@contextmanager
def catch_signals(note: str = _NOTE) -> Iterator[Callable[[], bool]]:
    """Catch SIGINT and SIGTERM until the block ends. Yields a function that tells whether to stop."""
    stop = StopSignal(note)
    previous = {number: signal.signal(number, stop.on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
