"""`headwater plan`: what a run would do."""

from __future__ import annotations

import typer
from rich.text import Text

from headwater.cli.options import Face, OfTenant, Place, spread
from headwater.cli.output import answer
from headwater.cli.run_options import Request, asked
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@spread
def plan(request: Request, place: Place, tenant: OfTenant, face: Face) -> None:
    """Show what a run would do, without running it."""
    with app.open_project(place.project, environment=place.environment) as opened:
        planned = app.plan(app.choose_tenant(opened, tenant.tenant), asked(request))
        lines, value = app.explain_plan(planned), app.plan_dict(planned)
    answer(face, value, *(Text(line) for line in lines))
