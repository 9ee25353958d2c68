"""Generate contracts from an API specification."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli.options import OutputOptions, expand_options
from headwater.cli.output import print_result
from headwater.cli.render import format_count
from headwater.run import app

commands = typer.Typer(name="generate", rich_markup_mode=None, add_completion=False)


@commands.callback()
def generate() -> None:
    """Generate contracts from an API specification."""


@commands.command()
@expand_options
def models(
    spec: Annotated[
        Path, typer.Argument(metavar="SPEC", help="OpenAPI 2 or 3, or a CDM entity or manifest; JSON or YAML.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The schemas.py to write.")],
    output: OutputOptions,
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "--choice",
            metavar="FILE",
            help="YAML or TOML: which schemas, types of fields, style of classes.",
        ),
    ] = None,
    description_format: Annotated[
        app.DescriptionFormat, typer.Option("--format", help="The format of SPEC. Default: its content tells.")
    ] = "auto",
    base: Annotated[
        app.ModelStyle | None, typer.Option("--base", help="What the classes are. Default: contracts of a connector.")
    ] = None,
) -> None:
    """Write models of the records in SPEC to OUT."""
    names = app.generate_models(spec, out, choice=config, description_format=description_format, base=base)
    print_result(output, {"written": out, "models": names}, Text(f"wrote {format_count(len(names), 'model')} to {out}"))
