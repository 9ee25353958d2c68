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
    """Check every declaration of the project.

    No service is asked; the ledger, if there is one, only tells which tenants there are. Exit code 2 if a declaration
    cannot be meant or tenants share a place; all complaints come at once.
    """
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.check(opened)
    answer(face, plain(found), *render.checked(found))
