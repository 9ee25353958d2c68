"""Leaving in the middle: the first Ctrl-C finishes the page in hand, the second leaves at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_NOTE = "Stopping after the page in hand; what was committed is safe. Once more leaves at once.\n"


class Stop:
    """Whether somebody asked to stop: by Ctrl-C or by SIGTERM."""

    def __init__(self, note: str) -> None:
        self._asked = False
        self._note = note

    def __call__(self) -> bool:
        return self._asked

    def ask(self, number: int, frame: FrameType | None) -> None:
        """A signal came: remember the first, leave at the second."""
        del number, frame
        if self._asked:
            # Threads may sit in a request or a statement. All that counts is committed, so nothing is lost by leaving.
            os._exit(130)
        self._asked = True
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, self._note.encode())


@contextmanager
def stopping(note: str = _NOTE) -> Iterator[Callable[[], bool]]:
    """Turn the signals that mean `leave` into a question that the work asks between two pages."""
    stop = Stop(note)
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
