"""Sync months of simulated data and print a report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from headwater.cli.demo.next_steps import build_example_command
from headwater.cli.demo.progress import open_progress_view
from headwater.cli.demo.project import TENANT, clear_folder, write_project
from headwater.cli.demo.render import render_report
from headwater.cli.demo.report import Report, build_report
from headwater.cli.demo.sandbox import KEYS, start_sandbox
from headwater.cli.demo.scenario import MONTHS, DemoRun, DemoRunner
from headwater.cli.extras import require_extra
from headwater.cli.options import OutputOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.clock import SystemClock
from headwater.run import app
from headwater.run.signals import catch_signals

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def demo(
    output: OutputOptions,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder, created if it does not exist.")] = Path(
        "demo"
    ),
) -> None:
    """Sync months of simulated data and print a report.

    The demo runs only on this machine. A second demo in the same folder starts again. The folder must not contain other files.
    """
    require_extra("sandbox", "uvicorn")
    clock = SystemClock()
    start = clock.monotonic()
    clear_folder(folder)
    with catch_signals() as stop, set_keys(), open_progress_view() as view, start_sandbox(months=MONTHS) as sandbox:
        write_project(folder, sandbox.url)
        run = DemoRunner(folder, sandbox, view, stop=stop).run()
        with app.open_project(folder) as workspace:
            report = build_report(workspace, today=run.today)
    result = DemoResult(folder=folder, run=run, report=report, seconds=clock.monotonic() - start)
    print_result(output, result.as_dict(), *result.render())


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """The result of the demo."""

    folder: Path
    run: DemoRun
    report: Report
    seconds: float

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.folder / ".headwater" / f"{TENANT}.duckdb"

    def as_dict(self) -> dict[str, Any]:
        """Return the result for `--json`."""
        return {
            "project": str(self.folder),
            "warehouse": str(self.warehouse),
            "query": build_example_command(self.folder),
            "clock": self.run.clock,
            "seconds": round(self.seconds, 1),
            "syncs": [to_plain(sync.as_dict()) for sync in self.run.syncs],
            "readmitted": self.run.readmitted,
            **to_plain(self.report),
        }

    def render(self) -> Iterator[RenderableType]:
        """Render the report, an example query and the totals."""
        yield from render_report(self.report)
        records = sum(sync.records for sync in self.run.syncs)
        yield Text("\nTry it", style="bold")
        yield Text(f"\n  {self.warehouse}", style="cyan")
        yield Text(f"\n{build_example_command(self.folder)}\n", no_wrap=True, overflow="ignore", style="cyan")
        yield Text(f"  {records:,} records read in {self.seconds:.0f} s from a simulated service.", style="dim")


@contextmanager
def set_keys() -> Iterator[None]:
    """Set the credentials of the simulated service in the environment of this process while the block runs."""
    previous = {name: os.environ.get(name) for name in KEYS}
    os.environ.update(KEYS)
    try:
        yield
    finally:
        for name, value in previous.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
