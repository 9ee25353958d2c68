"""`headwater explain`: where a table comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli import render
from headwater.cli.options import Face, Place, spread
from headwater.cli.output import answer, plain
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@spread
def explain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An entity, a dimension or a fact.")],
    place: Place,
    face: Face,
) -> None:
    """Show the SQL and the lineage of a table."""
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.explain(opened, name)
    lineage = [dict(zip(("column", "expression", "sources"), line, strict=True)) for line in found.lineage]
    answer(face, {**plain(found), "lineage": lineage}, *render.explained(found))
