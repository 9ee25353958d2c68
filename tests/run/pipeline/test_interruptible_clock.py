"""A run does not sleep through a request to stop."""

from __future__ import annotations

import pytest

from headwater.clock import SystemClock
from headwater.errors import Cancelled
from headwater.run.pipeline.interruptible_clock import InterruptibleClock


def test_a_wait_ends_when_a_stop_is_asked_for():
    answers = iter([False, False, True])
    clock = SystemClock()
    started = clock.monotonic()
    with pytest.raises(Cancelled):
        InterruptibleClock(clock=clock, stop=lambda: next(answers)).sleep(60)
    assert clock.monotonic() - started < 5


def test_a_wait_lasts_as_long_as_it_should():
    clock = SystemClock()
    started = clock.monotonic()
    InterruptibleClock(clock=clock, stop=lambda: False).sleep(0.4)
    assert clock.monotonic() - started >= 0.4
