"""`headwater status`: where a tenant stands."""

from __future__ import annotations

import typer

from headwater.cli import draw
from headwater.cli.answer import answer, plain
from headwater.cli.options import Face, OfTenant, Place, spread
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@spread
def status(place: Place, tenant: OfTenant, face: Face) -> None:
    """Show how far every resource and table is."""
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.status(opened, app.tenant_of(opened, tenant.tenant))
    heads = {
        "tenant": found.tenant,
        "warehouse": found.warehouse,
        "running": found.running or "nobody",
        **{f"last run {name}": value for name, value in (found.last_run or {}).items()},
    }
    answer(
        face,
        plain(found),
        draw.pairs(heads),
        draw.feeds(found.feeds),
        *draw.counts(found.counts),
        draw.tables(found.tables),
    )
