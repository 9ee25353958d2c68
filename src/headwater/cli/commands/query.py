"""Execute one read-only SQL statement."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_query
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One read-only statement in the SQL of the warehouse.")],
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
) -> None:
    """Execute one read-only SQL statement.

    `silver.x` and `gold.x` are the tables of the tenant on every engine. --json: {"columns": [...], "rows": [[...], ...]},
    with instants in ISO 8601 UTC and decimals as numbers.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        result = app.run_query(app.choose_tenant(workspace, tenant.tenant), sql)
    print_result(output, to_plain(result), *render_query(result))
