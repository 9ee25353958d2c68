"""Print the script that lets a shell complete commands."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined]

from headwater.cli.completion import PROGRAM, VARIABLE

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"],
        typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell."),
    ],
) -> None:
    """Print the script that lets a shell complete commands.

    For bash, add this line to ~/.bashrc: eval "$(headwater completion bash)". For zsh, add it to ~/.zshrc with zsh. For fish:
    headwater completion fish > ~/.config/fish/completions/headwater.fish.
    """
    sys.stdout.write(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell) + "\n")
