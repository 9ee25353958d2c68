"""Leaving in the middle: the first Ctrl-C finishes the page in hand, the second leaves at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_NOTE = "Stopping after the page in hand; what was committed is safe. Once more leaves at once.\n"


class StopSignal:
    """Whether somebody asked to stop: by Ctrl-C or by SIGTERM."""

    def __init__(self, note: str) -> None:
        self._is_set = False
        self._note = note

    def __call__(self) -> bool:
        return self._is_set

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """A signal came: remember the first, leave at the second."""
        del number, frame
        if self._is_set:
            # Threads may sit in a request or a statement. All that counts is committed, so nothing is lost by leaving.
            os._exit(130)
        self._is_set = True
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, self._note.encode())


@contextmanager
def catch_signals(note: str = _NOTE) -> Iterator[Callable[[], bool]]:
    """Turn the signals that mean `leave` into a question that the work asks between two pages."""
    stop = StopSignal(note)
    before = {number: signal.signal(number, stop.on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
