"""`headwater tenant`: tenants that live in the ledger."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from headwater.cli import draw
from headwater.cli.answer import answer
from headwater.cli.options import Face, Place, spread
from headwater.run import app

commands = typer.Typer(name="tenant", rich_markup_mode=None, add_completion=False)

TenantName = Annotated[str, typer.Argument(metavar="NAME", help="The tenant.")]


@commands.callback()
def tenant() -> None:
    """Add, list or remove tenants that live in the ledger."""


@commands.command()
@spread
def add(name: TenantName, place: Place, face: Face) -> None:
    """Add a tenant to the ledger."""
    with app.open_project(place.project, environment=place.environment) as opened:
        app.add_tenant(opened, name)
    answer(face, {"tenant": name, "added": True}, Text(f"added tenant {name}"))


@commands.command("list")
@spread
def list_(place: Place, face: Face) -> None:
    """List all tenants, of the project file and of the ledger."""
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.tenants(opened)
    answer(face, {"tenants": found}, draw.listing(found, nothing="no tenants yet"))


@commands.command()
@spread
def remove(
    name: TenantName,
    place: Place,
    face: Face,
    *,
    erase: Annotated[
        bool, typer.Option("--erase", help="Delete its files and tables as well; nothing brings them back.")
    ] = False,
) -> None:
    """Forget a tenant, its connections and what was remembered of its reads."""
    with app.open_project(place.project, environment=place.environment) as opened:
        app.remove_tenant(opened, name, erase=erase)
    told = Text(f"removed tenant {name}{' and erased its data' if erase else '; its files and tables stay'}")
    answer(face, {"tenant": name, "removed": True, "erased": erase}, told)
