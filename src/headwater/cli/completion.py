"""Answers a shell that asks for completions. Its script (`headwater completion`) sets a variable, and calls the program."""

from __future__ import annotations

import os

PROGRAM = "headwater"
"""The name of the program in a shell."""

VARIABLE = "_HEADWATER_COMPLETE"
"""The variable that is set when a shell asks."""


def prepare_completion() -> None:
    """Let the command line answer a shell, if one asks. Otherwise, import nothing."""
    if VARIABLE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]  # noqa: PLC0415

        completion_init()
