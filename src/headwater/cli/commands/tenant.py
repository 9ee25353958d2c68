"""Add, list, claim or remove tenants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli.confirmation import confirm_removal
from headwater.cli.errors import UsageError
from headwater.cli.options import OutputOptions, ProjectOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_list
from headwater.run import app

commands = typer.Typer(name="tenant", rich_markup_mode=None, add_completion=False)

TenantName = Annotated[str, typer.Argument(metavar="NAME", help="The tenant.")]


ConfirmOption = Annotated[bool, typer.Option("--yes", help="Confirm that no other project uses the tenant.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalOptions:
    """The options for the removal of a tenant."""

    erase: Annotated[
        bool, typer.Option("--erase", help="Also delete the files and tables of the tenant. You cannot undo this.")
    ] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what the command would remove.")] = False


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
    with app.open_project(project.project, environment=project.environment) as workspace:
        app.claim_tenant(workspace, name)
    print_result(
        output,
        {"tenant": name, "claimed": True},
        Text(f"this project now owns the warehouse and the lake of tenant {name}"),
    )


@commands.command("list")
@expand_options
def list_(project: ProjectOptions, output: OutputOptions) -> None:
    """List all tenants of the project file and the ledger."""
    with app.open_project(project.project, environment=project.environment) as workspace:
        tenants = app.list_tenants(workspace)
    print_result(output, {"tenants": tenants}, render_list(tenants, empty="no tenants yet"))


@commands.command()
@expand_options
def remove(name: TenantName, options: RemovalOptions, project: ProjectOptions, output: OutputOptions) -> None:
    """Remove a tenant, its connections and the state of its reads.

    The command lists what it will remove and asks for confirmation. Without a terminal, pass --yes.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        removal = app.plan_removal(workspace, name, erase=options.erase)
        taken = {"tenant": name, "erased": options.erase, "takes": to_plain(removal)}
        lines = [Text(line) for line in removal.describe()]
        if options.dry_run:
            print_result(output, {**taken, "removed": False}, Text(f"would remove tenant {name}"), *lines)
            return
        if not options.yes:
            confirm_removal(f"tenant {name}", removal.describe(), output)
        app.remove_tenant(workspace, name, erase=options.erase)
    print_result(output, {**taken, "removed": True}, Text(f"removed tenant {name}"), *lines)
