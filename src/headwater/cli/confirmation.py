"""Asks before something is removed, or accepted."""

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


def confirm_acceptance(connection: str, lines: Sequence[str], output: OutputOptions) -> None:
    """Ask whether a connection reads the same records. UsageError without a terminal, typer.Abort if the answer is no."""
    if output.json or not sys.stdin.isatty():
        raise UsageError(
            f"The change of `{connection}` was not confirmed; nothing was changed.",
            where="headwater connection accept",
            details="\n".join(lines),
            hint="pass `--yes` if it reads the same records; for another account, use another connection name",
        )
    typer.echo("\n".join(lines), err=True)
    typer.confirm(
        f"Does {connection} read the same records of the same account?",
        abort=True,
        err=True,
    )
