"""`headwater generate`: contracts from a published interface."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli.options import OutputOptions, expand_options
from headwater.cli.output import print_result
from headwater.run import app

commands = typer.Typer(name="generate", rich_markup_mode=None, add_completion=False)


@commands.callback()
def generate() -> None:
    """Generate contracts from a published interface."""


@commands.command()
@expand_options
def models(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="The service's OpenAPI document, JSON or YAML.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The schemas.py to write.")],
    output: OutputOptions,
    *,
    choice: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Which schemas, and how some fields are typed; YAML.")
    ] = None,
) -> None:
    """Write the models of the records that SPEC describes to OUT."""
    names = app.generate_models(spec, out, choice=choice)
    print_result(output, {"written": out, "models": names}, Text(f"wrote {len(names)} models to {out}"))
