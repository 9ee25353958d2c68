"""Runs a task with progress display, handles Ctrl-C, and prints the report."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from headwater.cli.errors import add_tenant
from headwater.cli.log import open_listener
from headwater.cli.options import OutputOptions, ProjectOptions
from headwater.cli.output import print_result, to_plain
from headwater.clock import measure_process_age
from headwater.run import app
from headwater.run.results import RunReport
from headwater.run.signals import catch_signals
from headwater.run.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import RenderableType

RunTask = Callable[[Workspace, Callable[[], bool]], RunReport]
"""A task on an open project. It calls the second argument between pages, and stops if it returns True."""

RenderReport = Callable[[RunReport], "Sequence[RenderableType]"]
"""Renders a report for a terminal."""


def render_run(report: RunReport) -> Sequence[RenderableType]:
    """Render the report of a run."""
    # The renderer takes time to import, and JSON does not need it.
    rendered: Sequence[RenderableType] = importlib.import_module("headwater.cli.run_report").render_report(report)
    return rendered


def run_with_progress(
    project: ProjectOptions, output: OutputOptions, task: RunTask, *, render: RenderReport = render_run
) -> int:
    """Run a task with progress, print its report, and return its exit code."""
    with (
        catch_signals() as stop,
        open_listener() as listen,
        app.open_project(project.project, environment=project.environment, listen=listen) as workspace,
    ):
        # The time that the user waits includes the start of the process.
        report = replace(task(workspace, stop), seconds=measure_process_age())
    report = _add_tenant_to_hints(report)
    print_result(output, dump_report(report), *(() if output.json else render(report)))
    return report.exit_code


def _add_tenant_to_hints(report: RunReport) -> RunReport:
    """The report, with the tenant in the commands that its errors and findings name."""
    for step in report.steps:
        if step.error is not None:
            step.error.hint = add_tenant(step.error.hint)
    findings = tuple(replace(finding, detail=add_tenant(finding.detail)) for finding in report.findings)
    return replace(report, findings=findings)


def dump_report(report: RunReport) -> dict[str, object]:
    """A report as the JSON object that `--json` prints."""
    written = {name: {"deleted": deleted, "inserted": inserted} for name, (deleted, inserted) in report.written.items()}
    return {**to_plain(report), "written": written, "exit_code": report.exit_code}
