"""`headwater connection`: a tenant's use of services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli import render
from headwater.cli.options import Face, OfTenant, Place, spread
from headwater.cli.output import answer
from headwater.run import app

commands = typer.Typer(name="connection", rich_markup_mode=None, add_completion=False)

ConnectionName = Annotated[str, typer.Argument(metavar="NAME", help="The connection.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """What a connection uses, as typed."""

    connector: Annotated[
        str, typer.Option(metavar="NAME", help="The connector. To list connectors, use `connector list`.")
    ]
    setting: Annotated[
        list[str], typer.Option("--set", metavar="NAME=VALUE", help="A setting. You can repeat this option.")
    ] = ()  # type: ignore[assignment] # typer reads the type, and an empty default must not be shared
    secret: Annotated[
        list[str],
        typer.Option(
            "--secret", metavar="NAME=REF", help="A reference to a secret, e.g. key=env:KEY. Never the secret itself."
        ),
    ] = ()  # type: ignore[assignment]
    resource: Annotated[
        list[str],
        typer.Option("--resource", metavar="NAME", help="Read only this resource. You can repeat this option."),
    ] = ()  # type: ignore[assignment]


@commands.callback()
def connection() -> None:
    """Add, list or test connections."""


@commands.command()
@spread
def add(name: ConnectionName, uses: Uses, place: Place, tenant: OfTenant, face: Face) -> None:
    """Add a connection to the ledger, or replace it."""
    with app.open_project(place.project, environment=place.environment) as opened:
        owner = app.choose_tenant(opened, tenant.tenant)
        app.add_connection(owner, name, _declaration(uses))
    told = Text(f"added connection {name} of {owner}; `headwater connection test {name}` tries it")
    answer(face, {"tenant": owner, "connection": name, "added": True}, told)


@commands.command("list")
@spread
def list_(place: Place, tenant: OfTenant, face: Face) -> None:
    """List the connections of a tenant."""
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.connections(app.choose_tenant(opened, tenant.tenant))
    answer(face, {"connections": found}, render.listing(found, nothing="no connections yet"))


@commands.command()
@spread
def test(name: ConnectionName, place: Place, tenant: OfTenant, face: Face) -> None:
    """Send one cheap request to the service.

    The command tests the URL and the credentials.
    """
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.test_connection(app.choose_tenant(opened, tenant.tenant), name)
    answer(face, found, Text(f"{name} answers", style="green"), render.pairs(found))


def _declaration(uses: Uses) -> dict[str, object]:
    """The connection as headwater.yaml would say it."""
    return {
        "connector": uses.connector,
        "settings": _named("--set", uses.setting),
        "secrets": _named("--secret", uses.secret),
        "resources": list(uses.resource),
    }


def _named(option: str, pairs: Sequence[str]) -> dict[str, str]:
    named = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            # A secret that somebody typed here is not repeated.
            details = "this" if option == "--secret" else f"`{pair}`"
            raise typer.BadParameter(f"{details} is not NAME=VALUE", param_hint=[option])
        named[name] = value
    return named
