"""`headwater status`: where a tenant stands."""

from __future__ import annotations

import typer

from headwater.cli import render
from headwater.cli.options import Face, OfTenant, Place, spread
from headwater.cli.output import answer, plain
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@spread
def status(place: Place, tenant: OfTenant, face: Face) -> None:
    """Show the state of all resources and tables."""
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.status(app.choose_tenant(opened, tenant.tenant))
    heads = {
        "tenant": found.tenant,
        "warehouse": found.warehouse,
        "running": found.running or "nobody",
        **{f"last run {name}": value for name, value in (found.last_run or {}).items()},
    }
    answer(
        face,
        plain(found),
        render.pairs(heads),
        render.feeds(found.feeds),
        *render.counts(found.counts),
        render.tables(found.tables),
    )
