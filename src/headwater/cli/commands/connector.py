"""`headwater connector`: the services that can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli import render
from headwater.cli.options import Face, Place, spread
from headwater.cli.output import answer
from headwater.run import app

commands = typer.Typer(name="connector", rich_markup_mode=None, add_completion=False)


@commands.callback()
def connector() -> None:
    """List, show or create connectors."""


@commands.command("list")
@spread
def list_(place: Place, face: Face) -> None:
    """List the connectors that are installed or in the project."""
    found = app.connectors(place.project)
    answer(face, {"connectors": found}, render.listing(found, nothing="no connectors are installed"))


@commands.command()
@spread
def show(name: Annotated[str, typer.Argument(metavar="NAME", help="The connector.")], place: Place, face: Face) -> None:
    """Show the settings, secrets and resources of a connector."""
    found = app.connector(name, place.project)
    resources = [(one.resource, one.path, ", ".join(one.key)) for one in found.resources]
    asks = {
        "connector": found.connector,
        "title": found.title,
        "base URL": found.base_url,
        "settings": list(found.settings),
        "secrets": list(found.secrets),
        "confidence": found.confidence,
    }
    drawn = render.table(("resource", "path", "key"), resources, title="Resources")
    answer(face, found.model_dump(mode="json"), render.pairs(asks), drawn)


@commands.command()
@spread
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name: lower-case letters, digits and `_`.")],
    place: Place,
    face: Face,
) -> None:
    """Create a connector in the project folder connectors/NAME."""
    folder: Path = place.project / "connectors" / name
    written = app.write_connector(folder, name)
    answer(face, {"written": written}, *(Text(f"wrote {path}") for path in written))
