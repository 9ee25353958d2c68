"""Show an entity or a dimension as it was at an instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from headwater.cli import run_options
from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import to_plain
from headwater.cli.row_output import FormatOption, print_rows
from headwater.run import app


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOptions:
    """The rows and columns to show."""

    where: Annotated[str, typer.Option(metavar="SQL", help="Filter: one condition, e.g. \"status = 'Open'\".")] = ""
    columns: Annotated[str, typer.Option(metavar="A,B", help="Show only these columns.")] = ""
    limit: Annotated[int | None, typer.Option(metavar="N", min=0, help="The maximum number of rows.")] = None


commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command("as-of")
@expand_options
def as_of(
    instant: Annotated[
        str, typer.Argument(metavar="INSTANT", help="An instant in UTC: 2026-03-01 or 2026-03-01T08:00:00Z.")
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="An entity (company) or a dimension (dim_company).")],
    rows: RowOptions,
    project: ProjectOptions,
    tenant: TenantOption,
    *,
    chosen: FormatOption,
    output: OutputOptions,
) -> None:
    """Show an entity or a dimension as it was at an instant.

    The instant refers to the time of the change in the source, not to the time of the read. In SQL, use
    silver.company_asof(TIMESTAMP '2026-03-01').
    """
    at = run_options.parse_instant_option("INSTANT", instant)
    columns = [column.strip() for column in rows.columns.split(",") if column.strip()]
    with app.open_project(project.project, environment=project.environment) as workspace:
        tenant_workspace = app.choose_tenant(workspace, tenant.tenant)
        result = app.read_as_of(tenant_workspace, at, name, where=rows.where, columns=columns, limit=rows.limit)
    print_rows(output, chosen, result, value={"as_of": at, **to_plain(result)}, limit=rows.limit)
