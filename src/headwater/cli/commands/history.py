"""`headwater history`: the version history of one record."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_history
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def history(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="An entity, e.g. company.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The entity key, e.g. desk:17, or 17 if it is unique.")],
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
    *,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show the source record of each version, as the service sent it.")
    ] = False,
) -> None:
    """Show the version history of one record, and its sources.

    Each line shows the validity, the changes, and the batch and resource that they come from.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        changes = app.read_history(app.choose_tenant(workspace, tenant.tenant), entity, key, raw=raw)
    print_result(output, to_plain(changes), *render_history(changes))
