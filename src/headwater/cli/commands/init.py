"""Create a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli.options import OutputOptions, expand_options
from headwater.cli.output import print_result
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project folder, created if it does not exist.")],
    output: OutputOptions,
    blueprint: Annotated[
        str | None, typer.Option(metavar="NAME", help="The blueprint to start from, e.g. msp.")
    ] = None,
    connector: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The connector to start with. To list connectors, use `connector list`."),
    ] = None,
) -> None:
    """Create a project.

    The command overwrites nothing. The folder must not contain a project.
    """
    written = app.init_project(folder, blueprint=blueprint, connector=connector)
    hint = f"\nNext: fill in {folder}/headwater.yaml, then `headwater check --project {folder}`."
    print_result(output, {"written": written}, *(Text(f"wrote {path}") for path in written), Text(hint))
