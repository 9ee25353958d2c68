"""Shows a long text in the pager of the user: `HEADWATER_PAGER`, `PAGER`, or `less`. `cat` means no pager."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

_LESS = "FRX"
"""Options of `less`: exit if the text fits, keep colors, and leave the text on the screen."""


def show_text(text: str, *, height: int) -> None:
    """Write a text to the terminal, through the pager if it has more lines than the terminal."""
    command = _find_pager()
    if text.count("\n") < height or not command or not _run_pager(command, text):
        sys.stdout.write(text)


def _find_pager() -> list[str]:
    """The command of the pager; empty if there is none."""
    if os.environ.get("TERM") in (None, "dumb") or not sys.stdin.isatty():
        return []
    words = shlex.split(os.environ.get("HEADWATER_PAGER") or os.environ.get("PAGER") or "less")
    return [] if words == ["cat"] else words


def _run_pager(command: list[str], text: str) -> bool:
    """Run the pager. False if it cannot be started."""
    try:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, text=True, encoding="utf-8", env={"LESS": _LESS, **os.environ}
        ) as process:
            try:
                process.communicate(text)
            except (BrokenPipeError, KeyboardInterrupt):
                # The user left before the end.
                process.wait()
    except OSError:
        return False
    return True
