"""The command line: reads what was typed, asks `run.app`, prints the answer. It decides nothing about data.

Must not know any room below `run/` but errors, events and clock, and starts without importing anything heavy: a command's
module is loaded when that command is called for (`lazy`). Tests: tests/cli.
"""

from __future__ import annotations
