"""Runs many tenants with a line of progress, or puts them into the queue, and prints the report."""

from __future__ import annotations

from headwater.cli.extras import require_extra
from headwater.cli.fleet.progress import open_progress
from headwater.cli.fleet.report import render_fleet, render_queued
from headwater.cli.options import OutputOptions, ProjectOptions
from headwater.cli.output import print_result, to_plain
from headwater.run import app
from headwater.run.app import FleetRequest
from headwater.run.signals import catch_signals

_NOTE = "Stopping: the tenants in progress stop after the current page. Press Ctrl-C again to exit immediately.\n"


def run_fleet_with_progress(project: ProjectOptions, output: OutputOptions, request: FleetRequest) -> int:
    """Run the requested tenants, print the report, and return its exit code."""
    with (
        catch_signals(_NOTE, leave=app.exit_with_workers) as stop,
        open_progress() as listen,
        app.open_project(project.project, environment=project.environment) as workspace,
    ):
        report = app.run_fleet(workspace, request, environment=project.environment, stop=stop, listen=listen)
    values = {**to_plain(report), "outcomes": report.outcomes, "exit_code": report.exit_code}
    print_result(output, values, *render_fleet(report))
    return report.exit_code


def queue_tenants(project: ProjectOptions, output: OutputOptions, request: FleetRequest) -> int:
    """Put the requested tenants into the queue, and print which ones."""
    require_extra("queue", "procrastinate")
    with app.open_project(project.project, environment=project.environment) as workspace:
        report = app.queue_fleet(workspace, request, environment=project.environment)
    print_result(output, to_plain(report), *render_queued(report))
    return 0
