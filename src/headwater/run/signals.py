"""Handles Ctrl-C: the first one stops after the current page, the second one exits immediately."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_NOTE = "Stopping after the current page; committed data is safe. Press Ctrl-C again to exit immediately.\n"


class StopSignal:
    """Whether a stop was requested with Ctrl-C or SIGTERM."""

    def __init__(self, note: str, leave: Callable[[], NoReturn]) -> None:
        self._is_set = False
        self._note = note
        self._leave = leave

    def __call__(self) -> bool:
        return self._is_set

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Record the first signal, and exit at the second."""
        del number, frame
        if self._is_set:
            self._leave()
        self._is_set = True
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, self._note.encode())


def exit_now() -> NoReturn:
    """End the process. Threads may be in a request or a statement. What is needed is committed, so an exit loses nothing."""
    os._exit(130)


def raise_interrupt() -> NoReturn:
    """Raise KeyboardInterrupt, so that an interactive session survives."""
    raise KeyboardInterrupt


@contextmanager
def catch_signals(note: str = _NOTE, *, leave: Callable[[], NoReturn] = exit_now) -> Iterator[Callable[[], bool]]:
    """Catch SIGINT and SIGTERM until the block ends. Yields a function that tells whether to stop.

    `leave` is called at the second signal. A thread other than the main one catches none, because Python allows only that one to.
    """
    stop = StopSignal(note, leave)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    previous = {number: signal.signal(number, stop.on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
