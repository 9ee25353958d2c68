"""The frame around long work: somebody listens, Ctrl-C is a question, and the report is the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import RenderableType

from headwater.cli.log import open_listener
from headwater.cli.options import OutputOptions, ProjectOptions
from headwater.cli.output import print_result, to_plain
from headwater.cli.run_report import render_report
from headwater.cli.signals import catch_signals
from headwater.run import app
from headwater.run.results import RunReport
from headwater.run.workspace import Workspace

RunTask = Callable[[Workspace, Callable[[], bool]], RunReport]
"""What is done to an open project, asking between two pages whether to stop."""

RenderReport = Callable[[RunReport], Sequence[RenderableType]]
"""A report, for a person."""


def run_with_progress(
    project: ProjectOptions, output: OutputOptions, task: RunTask, *, render: RenderReport = render_report
) -> int:
    """Run a task with progress, print its report, and return its exit code."""
    with (
        catch_signals() as stop,
        open_listener() as listen,
        app.open_project(project.project, environment=project.environment, listen=listen) as workspace,
    ):
        report = task(workspace, stop)
    print_result(output, dump_report(report), *render(report))
    return report.exit_code


def dump_report(report: RunReport) -> dict[str, object]:
    """A report as `--json` prints it."""
    written = {name: {"deleted": deleted, "inserted": inserted} for name, (deleted, inserted) in report.written.items()}
    return {**to_plain(report), "written": written, "exit_code": report.exit_code}
