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
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One statement that only reads, in the warehouse's SQL.")],
    place: Place,
    tenant: OfTenant,
    face: Face,
) -> None:
    """Ask one read-only question in SQL.

    `silver.x` and `gold.x` are the tenant's own tables on every engine. With --json: {"columns": [...], "rows": [[...], ...]},
    instants in ISO 8601 UTC, decimals as numbers.
    """
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.query(app.choose_tenant(opened, tenant.tenant), sql)
    answer(face, plain(found), *render.answered(found))
