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
    """Check every declaration of the project.

    No service is asked; the ledger, if there is one, only tells which tenants there are. Exit code 2 if a declaration
    cannot be meant or tenants share a place; all complaints come at once.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        report = app.check_project(workspace)
    print_result(output, to_plain(report), *render_check(report))
