"""Run the tenants of the queue until it is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli.extras import require_extra
from headwater.cli.fleet.options import count_default_jobs, parse_span_option
from headwater.cli.fleet.worker_log import WorkerLog
from headwater.cli.options import OutputOptions, ProjectOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.run import app
from headwater.run.app import WorkerOptions
from headwater.run.signals import catch_signals

commands = typer.Typer(rich_markup_mode=None, add_completion=False)

_NOTE = "Draining: no new tenants. Press Ctrl-C again to exit immediately; another worker takes up what is left.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOptions:
    """How a worker works."""

    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, help="Processes. Default: one per processor, at most 4."),
    ] = None
    grace: Annotated[
        str,
        typer.Option(
            "--grace",
            metavar="SPAN",
            help="After SIGTERM: how long tenants may go on before they stop at a page.",
            show_default=True,
        ),
    ] = "20s"
    dead_after: Annotated[
        str,
        typer.Option(
            "--dead-after",
            metavar="SPAN",
            help="After so long without a heartbeat, other workers take up the jobs.",
            show_default=True,
        ),
    ] = "60s"
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End when the queue is empty.")] = False


@commands.command()
@expand_options
def worker(work: WorkOptions, project: ProjectOptions, output: OutputOptions) -> None:
    """Run the tenants of the queue until it is stopped.

    `headwater run --all --queue` fills the queue. Any number of machines may run workers. If a worker dies, another one
    takes up its tenants.

    SIGTERM or Ctrl-C: the worker takes no more tenants, and those in progress end, or stop at a page and wait again.
    """
    require_extra("queue", "procrastinate")
    options = WorkerOptions(
        jobs=work.jobs or count_default_jobs(),
        grace=parse_span_option("--grace", work.grace, can_be_empty=True),
        dead_after=parse_span_option("--dead-after", work.dead_after),
        until_empty=work.until_empty,
    )
    with (
        catch_signals(_NOTE, leave=app.exit_with_workers) as stop,
        app.open_project(project.project, environment=project.environment) as workspace,
    ):
        log = WorkerLog()
        report = app.run_worker(workspace, options, environment=project.environment, stop=stop, listen=log.on_event)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.outcomes.items()))
    print_result(output, to_plain(report), Text(f"Worker ended after {report.seconds:.0f} s: {counts or 'no jobs'}."))
