"""`headwater check`: whether everything declared can be meant."""

from __future__ import annotations

import typer

from headwater.cli.options import OutputOptions, ProjectOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_check
from headwater.run import app

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
    print_result(output, to_plain(report), *render_check(report))
