"""`headwater history`: the version history of one record."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli import render
from headwater.cli.options import Face, OfTenant, Place, spread
from headwater.cli.output import answer, plain
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@spread
def history(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="An entity, e.g. company.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The entity key, e.g. desk:17, or 17 if it is unique.")],
    place: Place,
    tenant: OfTenant,
    face: Face,
    *,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show the source record of each version, as the service sent it.")
    ] = False,
) -> None:
    """Show the version history of one record, and its sources.

    Each line shows the validity, the changes, and the batch and resource that they come from.
    """
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.history(app.choose_tenant(opened, tenant.tenant), entity, key, raw=raw)
    answer(face, plain(found), *render.life(found))
