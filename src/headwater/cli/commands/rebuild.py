"""`headwater rebuild`: everything after raw, from raw."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.options import Face, OfTenant, Place, spread
from headwater.cli.run_command import working
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@spread
def rebuild(
    place: Place,
    tenant: OfTenant,
    face: Face,
    entity: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this entity, and what depends on it.")
    ] = None,
) -> int:
    """Rebuild everything after raw, from raw.

    The command sends no requests. The result is identical to that of incremental runs, including keys and load times.
    """
    return working(
        place,
        face,
        lambda opened, stop: app.rebuild(app.choose_tenant(opened, tenant.tenant), entity=entity, stop=stop),
    )
