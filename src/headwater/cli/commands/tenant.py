"""`headwater tenant`: tenants that live in the ledger, and whose the places of a tenant are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli.errors import UsageError
from headwater.cli.options import OutputOptions, ProjectOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_list
from headwater.run import app

commands = typer.Typer(name="tenant", rich_markup_mode=None, add_completion=False)

TenantName = Annotated[str, typer.Argument(metavar="NAME", help="The tenant.")]


ConfirmOption = Annotated[bool, typer.Option("--yes", help="No other project uses them any more.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalOptions:
    """How a tenant goes."""

    erase: Annotated[
        bool, typer.Option("--erase", help="Delete its files and tables as well; nothing brings them back.")
    ] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take away.")] = False


@commands.callback()
def tenant() -> None:
    """Add, list, claim or remove tenants."""


@commands.command()
@expand_options
def add(name: TenantName, project: ProjectOptions, output: OutputOptions) -> None:
    """Add a tenant to the ledger."""
    with app.open_project(project.project, environment=project.environment) as workspace:
        app.add_tenant(workspace, name)
    print_result(output, {"tenant": name, "added": True}, Text(f"added tenant {name}"))


@commands.command()
@expand_options
def claim(name: TenantName, project: ProjectOptions, output: OutputOptions, *, yes: ConfirmOption = False) -> None:
    """Make the warehouse and the lake of a tenant this project's own.

    Each belongs to the ledger that first wrote there, and no run of another one writes into it. A project that is moved
    takes its ledger along and needs no claim. This is for a ledger that is gone for good: what it had read is then
    read again.
    """
    if not yes:
        raise UsageError(
            f"The claim to the places of tenant `{name}` was not confirmed; nothing was changed.",
            where="headwater tenant claim",
            details="a project that still writes there would be locked out",
            hint="add `--yes` when no other project uses them any more",
        )
    with app.open_project(project.project, environment=project.environment) as workspace:
        app.claim_tenant(workspace, name)
    print_result(output, {"tenant": name, "claimed": True}, Text(f"the places of tenant {name} are this project's"))


@commands.command("list")
@expand_options
def list_(project: ProjectOptions, output: OutputOptions) -> None:
    """List all tenants, of the project file and of the ledger."""
    with app.open_project(project.project, environment=project.environment) as workspace:
        tenants = app.list_tenants(workspace)
    print_result(output, {"tenants": tenants}, render_list(tenants, empty="no tenants yet"))


@commands.command()
@expand_options
def remove(name: TenantName, options: RemovalOptions, project: ProjectOptions, output: OutputOptions) -> None:
    """Forget a tenant, its connections and what was remembered of its reads.

    Says first what it would take away, and asks. Where nobody can be asked, it needs --yes.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        removal = app.plan_removal(workspace, name, erase=options.erase)
        taken = {"tenant": name, "erased": options.erase, "takes": to_plain(removal)}
        lines = [Text(line) for line in removal.describe()]
        if options.dry_run:
            print_result(output, {**taken, "removed": False}, Text(f"would remove tenant {name}"), *lines)
            return
        if not options.yes:
            _confirm(name, removal.describe(), output)
        app.remove_tenant(workspace, name, erase=options.erase)
    print_result(output, {**taken, "removed": True}, Text(f"removed tenant {name}"), *lines)


def _confirm(name: str, lines: Sequence[str], output: OutputOptions) -> None:
    """Let a person say yes; UsageError where there is none, typer.Abort where it is no."""
    if output.json or not sys.stdin.isatty():
        raise UsageError(
            f"The removal of tenant `{name}` was not confirmed; nothing was removed.",
            where="headwater tenant remove",
            details="\n".join(lines),
            hint="add `--yes` when that is what you want; `--dry-run` only says it",
        )
    typer.echo("\n".join(lines), err=True)
    typer.confirm(f"Remove tenant {name}?", abort=True, err=True)
