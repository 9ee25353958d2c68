"""`headwater tenant`: tenants that live in the ledger, and whose the places of a tenant are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli import render
from headwater.cli.errors import UsageError
from headwater.cli.options import Face, Place, spread
from headwater.cli.output import answer, plain
from headwater.run import app

commands = typer.Typer(name="tenant", rich_markup_mode=None, add_completion=False)

TenantName = Annotated[str, typer.Argument(metavar="NAME", help="The tenant.")]


Claimed = Annotated[bool, typer.Option("--yes", help="Confirm that no other project uses the tenant.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """How a tenant goes."""

    erase: Annotated[
        bool, typer.Option("--erase", help="Also delete the files and tables of the tenant. You cannot undo this.")
    ] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what the command would remove.")] = False


@commands.callback()
def tenant() -> None:
    """Add, list, claim or remove tenants."""


@commands.command()
@spread
def add(name: TenantName, place: Place, face: Face) -> None:
    """Add a tenant to the ledger."""
    with app.open_project(place.project, environment=place.environment) as opened:
        app.add_tenant(opened, name)
    answer(face, {"tenant": name, "added": True}, Text(f"added tenant {name}"))


@commands.command()
@spread
def claim(name: TenantName, place: Place, face: Face, *, yes: Claimed = False) -> None:
    """Take over the warehouse and the lake of a tenant.

    Each belongs to the ledger that first wrote to it, and runs with another ledger refuse to write. If you move a project
    with its ledger, you need no claim. Use this command only if the ledger is lost. Headwater then reads everything
    again.
    """
    if not yes:
        raise UsageError(
            f"The claim of tenant `{name}` was not confirmed; nothing was changed.",
            where="headwater tenant claim",
            details="another project that still writes there would be locked out",
            hint="pass `--yes` if no other project uses the tenant",
        )
    with app.open_project(place.project, environment=place.environment) as opened:
        app.claim_tenant(opened, name)
    answer(face, {"tenant": name, "claimed": True}, Text(f"the places of tenant {name} are this project's"))


@commands.command("list")
@spread
def list_(place: Place, face: Face) -> None:
    """List all tenants of the project file and the ledger."""
    with app.open_project(place.project, environment=place.environment) as opened:
        found = app.tenants(opened)
    answer(face, {"tenants": found}, render.listing(found, nothing="no tenants yet"))


@commands.command()
@spread
def remove(name: TenantName, going: Going, place: Place, face: Face) -> None:
    """Remove a tenant, its connections and the state of its reads.

    The command lists what it will remove and asks for confirmation. Without a terminal, pass --yes.
    """
    with app.open_project(place.project, environment=place.environment) as opened:
        planned = app.plan_removal(opened, name, erase=going.erase)
        taken = {"tenant": name, "erased": going.erase, "takes": plain(planned)}
        told = [Text(line) for line in planned.lines()]
        if going.dry_run:
            answer(face, {**taken, "removed": False}, Text(f"would remove tenant {name}"), *told)
            return
        if not going.yes:
            _ask(name, planned.lines(), face)
        app.remove_tenant(opened, name, erase=going.erase)
    answer(face, {**taken, "removed": True}, Text(f"removed tenant {name}"), *told)


def _ask(name: str, lines: Sequence[str], face: Face) -> None:
    """Let a person say yes; UsageError where there is none, typer.Abort where it is no."""
    if face.json or not sys.stdin.isatty():
        raise UsageError(
            f"The removal of tenant `{name}` was not confirmed; nothing was removed.",
            where="headwater tenant remove",
            details="\n".join(lines),
            hint="pass `--yes` to confirm; `--dry-run` only shows what would be removed",
        )
    typer.echo("\n".join(lines), err=True)
    typer.confirm(f"Remove tenant {name}?", abort=True, err=True)
