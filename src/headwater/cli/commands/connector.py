"""List, show or create connectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli.options import OutputOptions, ProjectOptions, expand_options
from headwater.cli.output import print_result
from headwater.cli.render import render_list, render_pairs, render_table
from headwater.run import app

commands = typer.Typer(name="connector", rich_markup_mode=None, add_completion=False)


@commands.callback()
def connector() -> None:
    """List, show or create connectors."""


@commands.command("list")
@expand_options
def list_(project: ProjectOptions, output: OutputOptions) -> None:
    """List the connectors that are installed or in the project."""
    connectors = app.list_connectors(project.project)
    print_result(output, {"connectors": connectors}, render_list(connectors, empty="no connectors are installed"))


@commands.command()
@expand_options
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connector.")],
    project: ProjectOptions,
    output: OutputOptions,
) -> None:
    """Show the settings, secrets and resources of a connector."""
    manifest = app.load_connector(name, project.project)
    resources = [(resource.resource, resource.path, ", ".join(resource.key)) for resource in manifest.resources]
    facts = {
        "connector": manifest.connector,
        "title": manifest.title,
        "base URL": manifest.base_url,
        "settings": list(manifest.settings),
        "secrets": list(manifest.secrets),
        "confidence": manifest.confidence,
    }
    table = render_table(("resource", "path", "key"), resources, title="Resources")
    print_result(output, manifest.model_dump(mode="json"), render_pairs(facts), table)


@commands.command()
@expand_options
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name: lower-case letters, digits and `_`.")],
    project: ProjectOptions,
    output: OutputOptions,
) -> None:
    """Create a connector in the project folder connectors/NAME."""
    folder: Path = project.project / "connectors" / name
    written = app.write_connector(folder, name)
    print_result(output, {"written": written}, *(Text(f"wrote {path}") for path in written))
