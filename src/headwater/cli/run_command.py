"""Runs a task with progress display, handles Ctrl-C, and prints the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rich.console import RenderableType

from headwater.cli.log import open_listener
from headwater.cli.options import OutputOptions, ProjectOptions
from headwater.cli.output import print_result, to_plain
from headwater.cli.run_report import render_report
from headwater.clock import measure_process_age
from headwater.run import app
from headwater.run.results import RunReport
from headwater.run.signals import catch_signals
from headwater.run.workspace import Workspace

RunTask = Callable[[Workspace, Callable[[], bool]], RunReport]
"""A task on an open project. It calls the second argument between pages, and stops if it returns True."""

RenderReport = Callable[[RunReport], Sequence[RenderableType]]
"""Renders a report for a terminal."""


def run_with_progress(
    project: ProjectOptions, output: OutputOptions, task: RunTask, *, render: RenderReport = render_report
) -> int:
    """Run a task with progress, print its report, and return its exit code."""
    with (
        catch_signals() as stop,
        open_listener() as listen,
        app.open_project(project.project, environment=project.environment, listen=listen) as workspace,
    ):
        # The time that the user waits includes the start of the process.
        report = replace(task(workspace, stop), seconds=measure_process_age())
    print_result(output, dump_report(report), *render(report))
    return report.exit_code


def dump_report(report: RunReport) -> dict[str, object]:
    """A report as the JSON object that `--json` prints."""
    written = {name: {"deleted": deleted, "inserted": inserted} for name, (deleted, inserted) in report.written.items()}
    return {**to_plain(report), "written": written, "exit_code": report.exit_code}
