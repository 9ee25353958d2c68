"""Check all declarations of the project."""

from __future__ import annotations

import typer
from rich.console import RenderableType
from rich.text import Text

from headwater.cli.options import OutputOptions, ProjectOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_table
from headwater.run import app
from headwater.run.results import CheckReport

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def check(project: ProjectOptions, output: OutputOptions) -> None:
    """Check all declarations of the project.

    The command sends no requests. If there is a ledger, it reads the list of tenants from it. Exit code 2 if a declaration
    is invalid or two tenants use the same location. All errors are reported together.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        report = app.check_project(workspace)
    print_result(output, to_plain(report), *_render(report))


def _render(check: CheckReport) -> list[RenderableType]:
    """The number of declarations of each kind, and the warnings."""
    counted = [
        (name, len(getattr(check, name)), ", ".join(getattr(check, name)))
        for name in ("connectors", "entities", "dimensions", "facts", "tenants")
    ]
    warnings = [Text(f"! {warning}", style="yellow") for warning in check.warnings]
    return [
        Text(f"{check.project} is in good order.", style="green"),
        render_table(("kind", "count", "names"), counted),
        *warnings,
    ]
