"""Execute one read-only SQL statement."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.row_output import FormatOption, print_rows
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One read-only statement in the SQL of the warehouse.")],
    project: ProjectOptions,
    tenant: TenantOption,
    chosen: FormatOption,
    output: OutputOptions,
    *,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="The maximum number of rows. Default: 200 on a terminal, otherwise all."),
    ] = None,
) -> None:
    """Execute one read-only SQL statement.

    `silver.x` and `gold.x` are the tables of the tenant on every engine. --json: {"columns": [...], "rows": [[...], ...]},
    with instants in ISO 8601 UTC and decimals as numbers. jsonl prints an object for each row. In csv, NULL is an empty
    cell and an empty text is "".
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        result = app.run_query(app.choose_tenant(workspace, tenant.tenant), sql)
    print_rows(output, chosen, result, limit=limit)
