"""Print the JSON Schema of all declarations, for editors."""

from __future__ import annotations

import json
import sys

import typer

from headwater.cli.options import OutputOptions, expand_options
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def schema(output: OutputOptions) -> None:
    """Print the JSON Schema of all declarations, for editors."""
    indent = None if output.json else 2
    sys.stdout.write(json.dumps(app.build_json_schema(), indent=indent) + "\n")
