"""Show what a run would do, without running it."""

from __future__ import annotations

import typer
from rich.text import Text

from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import print_result
from headwater.cli.run_options import RunOptions, build_request
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def plan(request: RunOptions, project: ProjectOptions, tenant: TenantOption, output: OutputOptions) -> None:
    """Show what a run would do, without running it."""
    with app.open_project(project.project, environment=project.environment) as workspace:
        tenant_workspace = app.choose_tenant(workspace, tenant.tenant)
        steps = app.plan(tenant_workspace, build_request(request))
        value = app.dump_plan(tenant_workspace, steps)
    print_result(output, value, *(Text(line) for line in app.render_plan(steps)))
