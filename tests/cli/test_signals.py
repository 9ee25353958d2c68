"""Ctrl-C once asks, twice leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from headwater.run.signals import catch_signals

PROGRAM = """
import os, signal, sys
from headwater.run.signals import catch_signals
with catch_signals() as stop:
    os.kill(os.getpid(), {first})
    assert stop()
    os.kill(os.getpid(), {second})
    sys.exit(0)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "term"])
def test_the_first_signal_is_a_question(number, capfd):
    before = signal.getsignal(number)
    with catch_signals() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
    assert signal.getsignal(number) is before
    assert "Stopping after the current page" in capfd.readouterr().err


def test_the_second_leaves_at_once():
    program = PROGRAM.format(first=int(signal.SIGTERM), second=int(signal.SIGINT))
    left = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert left.returncode == 130
    assert "Traceback" not in left.stderr


def test_ctrl_c_where_nobody_asks_leaves_with_130(shell):
    shell.verb("check_project", KeyboardInterrupt())
    assert shell("check").code == 130
    assert "Traceback" not in shell.err
