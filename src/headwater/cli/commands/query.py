"""`headwater query`: one question in SQL."""

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
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One read-only statement in the SQL of the warehouse.")],
    place: Place,
    tenant: OfTenant,
    face: Face,
) -> None:
    """Execute one read-only SQL statement.

    `silver.x` and `gold.x` are the tables of the tenant on every engine. --json: {"columns": [...], "rows": [[...], ...]},
    with instants in ISO 8601 UTC and decimals as numbers.
    """
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.query(app.choose_tenant(opened, tenant.tenant), sql)
    answer(face, plain(found), *render.answered(found))
