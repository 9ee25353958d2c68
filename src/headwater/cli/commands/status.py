"""`headwater status`: where a tenant stands."""

from __future__ import annotations

import typer

from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_counts, render_feeds, render_pairs, render_tables
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def status(project: ProjectOptions, tenant: TenantOption, output: OutputOptions) -> None:
    """Show the state of all resources and tables."""
    with app.open_project(project.project, environment=project.environment) as workspace:
        state = app.read_status(app.choose_tenant(workspace, tenant.tenant))
    heads = {
        "tenant": state.tenant,
        "warehouse": state.warehouse,
        "running": state.running or "nobody",
        **{f"last run {name}": value for name, value in (state.last_run or {}).items()},
    }
    print_result(
        output,
        to_plain(state),
        render_pairs(heads),
        render_feeds(state.feeds),
        *render_counts(state.counts),
        render_tables(state.tables),
    )
