"""Read new data, and update history and star schema."""

from __future__ import annotations

import importlib

import typer

from headwater.cli.fleet.options import FleetOptions, build_fleet_request, check_single_run
from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.run_command import run_with_progress
from headwater.cli.run_options import ReadOptions, RunOptions, build_request
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def run(
    request: RunOptions,
    project: ProjectOptions,
    tenant: TenantOption,
    fleet: FleetOptions,
    output: OutputOptions,
    *,
    reads: ReadOptions,
) -> int:
    """Read new data, and update history and star schema.

    Committed windows are not read again. A run that was stopped resumes where it stopped, unless the declaration of its
    requests has changed. Exit code 3 if some parts failed. Parts that do not depend on them are complete.

    With --all, run all tenants, the most overdue first. Exit code 3 if some tenants failed, 1 if all failed. With --queue,
    put them into the queue instead, from which `headwater worker` takes them.
    """
    run_request = build_request(request, reads)
    if fleet.all_tenants:
        # A run of one tenant needs no pool of processes, which takes time to import.
        command = importlib.import_module("headwater.cli.fleet.command")
        start = command.queue_tenants if fleet.queue else command.run_fleet_with_progress
        return int(start(project, output, build_fleet_request(fleet, tenant, run_request)))
    check_single_run(fleet)
    return run_with_progress(
        project,
        output,
        lambda workspace, stop: app.run(app.choose_tenant(workspace, tenant.tenant), run_request, stop=stop),
    )
