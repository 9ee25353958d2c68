"""`headwater check`: whether everything declared can be meant."""

from __future__ import annotations

import typer

from headwater.cli import render
from headwater.cli.options import Face, Place, spread
from headwater.cli.output import answer, plain
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@spread
def check(place: Place, face: Face) -> None:
    """Check all declarations of the project.

    The command sends no requests. If there is a ledger, it reads the list of tenants from it. Exit code 2 if a declaration
    is invalid or two tenants use the same location. All errors are reported together.
    """
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.check(opened)
    answer(face, plain(found), *render.checked(found))
