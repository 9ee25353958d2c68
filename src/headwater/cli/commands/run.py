"""`headwater run`: the daily work."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.options import Face, OfTenant, Place, spread
from headwater.cli.run_command import working
from headwater.cli.run_options import Request, asked
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@spread
def run(
    request: Request,
    place: Place,
    tenant: OfTenant,
    face: Face,
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Drop reads that are half done, and begin them anew.")] = False,
    allow_drop: Annotated[
        bool, typer.Option("--allow-drop", help="Delete even if a sweep finds more gone than `max_drop` allows.")
    ] = False,
) -> int:
    """Read what is missing, and bring history and star up to date.

    What is committed is not read again, so a second run does next to nothing, and a run that was stopped goes on where it
    was, unless what shapes its requests was declared otherwise since. Exit code 3 if some parts failed; what does not
    depend on them was done.
    """
    return working(
        place,
        face,
        lambda opened, stop: app.run(
            app.choose_tenant(opened, tenant.tenant), asked(request, fresh=fresh, allow_drop=allow_drop), stop=stop
        ),
    )
