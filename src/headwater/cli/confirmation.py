"""Asks before something is removed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from headwater.cli.errors import UsageError
from headwater.cli.options import OutputOptions


def confirm_removal(noun: str, lines: Sequence[str], output: OutputOptions) -> None:
    """Ask for confirmation. `noun` is e.g. `tenant acme`. UsageError without a terminal, typer.Abort if the answer is no."""
    kind, _, name = noun.partition(" ")
    if output.json or not sys.stdin.isatty():
        raise UsageError(
            f"The removal of {kind} `{name}` was not confirmed; nothing was removed.",
            where=f"headwater {kind} remove",
            details="\n".join(lines),
            hint="pass `--yes` to confirm; `--dry-run` only shows what would be removed",
        )
    typer.echo("\n".join(lines), err=True)
    typer.confirm(f"Remove {noun}?", abort=True, err=True)
