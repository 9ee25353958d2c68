"""`headwater schema`: the grammar of declarations, for editors."""

from __future__ import annotations

import json
import sys

import typer

from headwater.cli.options import Face, spread
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@spread
def schema(face: Face) -> None:
    """Print the JSON Schema of all declarations, for editors."""
    indent = None if face.json else 2
    sys.stdout.write(json.dumps(app.schema(), indent=indent) + "\n")
