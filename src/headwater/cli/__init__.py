"""The command line: parses arguments, calls `run.app`, and prints the result. It decides nothing about data.

It imports from packages below `run/` only errors, events and clock. Start-up imports nothing heavy: the module of a command
is imported when the command is called (`lazy_command`). Tests: tests/cli.
"""

from __future__ import annotations
