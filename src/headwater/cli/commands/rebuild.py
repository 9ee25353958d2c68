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
    entity: Annotated[str | None, typer.Option(metavar="NAME", help="Only this entity and what hangs on it.")] = None,
) -> int:
    """Build everything after raw again, from raw.

    No service is asked. The result is identical to what incremental runs made: keys and load times stay as they are.
    """
    return working(
        place,
        face,
        lambda opened, stop: app.rebuild(app.choose_tenant(opened, tenant.tenant), entity=entity, stop=stop),
    )
