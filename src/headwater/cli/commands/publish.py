"""Write the tables of publications now."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from headwater.cli.log import open_listener
from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.run_report import render_failures
from headwater.run import app
from headwater.run.signals import catch_signals

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def publish(
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
    *,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A publication. Default: all.")] = None,
) -> int:
    """Write the tables of publications now.

    The command sends no requests to services. A publication that has not changed is not written again. A run writes a
    publication that is new, or whose last write failed, without this command.
    """
    with (
        catch_signals() as stop,
        open_listener() as listen,
        app.open_project(project.project, environment=project.environment, listen=listen) as workspace,
    ):
        chosen = app.choose_tenant(workspace, tenant.tenant)
        reports = app.publish_tables(chosen, name, stop=stop)
    steps = [step for report in reports for step in report.steps]
    lines = [Text(f"{step.step.partition(':')[2]}: {step.detail}") for step in steps if step.state == "succeeded"]
    code = max(report.exit_code for report in reports)
    value = {"tenant": reports[0].tenant, "steps": to_plain(steps), "exit_code": code}
    print_result(output, value, *lines, *render_failures(steps))
    return code
