"""The demo: a simulated ConnectWise that lives for months, the syncs that follow it, and the report at the end.

Decides what happens in the story and what the report shows; the work itself is asked of `run.app`, as by anybody else. Must
not know any room below `run/` but errors, events and clock, nor the sandbox's code: that is a process of its own, spoken to
over HTTP. Tests: tests/cli/test_demo.py.
"""

from __future__ import annotations
