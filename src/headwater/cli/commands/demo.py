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

from headwater.cli.demo.next_steps import trial
from headwater.cli.demo.progress import telling
from headwater.cli.demo.project import TENANT, clear, write
from headwater.cli.demo.render import page
from headwater.cli.demo.report import Report, report
from headwater.cli.demo.sandbox import KEYS, serving
from headwater.cli.demo.scenario import MONTHS, Narrator, Story
from headwater.cli.extras import require_extra
from headwater.cli.options import OutputOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.signals import catch_signals
from headwater.clock import SystemClock
from headwater.run import app

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
    began = clock.monotonic()
    clear(folder)
    with catch_signals() as stop, set_keys(), telling() as told, serving(months=MONTHS) as service:
        write(folder, service.url)
        story = Narrator(folder, service, told, stop=stop).tell()
        with app.open_project(folder) as workspace:
            found = report(workspace, today=story.today)
    ended = DemoResult(folder=folder, story=story, report=found, seconds=clock.monotonic() - began)
    print_result(output, ended.as_dict(), *ended.render())


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """The demo when it is over."""

    folder: Path
    story: Story
    report: Report
    seconds: float

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.folder / ".headwater" / f"{TENANT}.duckdb"

    def as_dict(self) -> dict[str, Any]:
        """The whole of it, for `--json`."""
        return {
            "project": str(self.folder),
            "warehouse": str(self.warehouse),
            "query": trial(self.folder),
            "clock": self.story.clock,
            "seconds": round(self.seconds, 1),
            "syncs": to_plain(self.story.syncs),
            "readmitted": self.story.readmitted,
            **to_plain(self.report),
        }

    def render(self) -> Iterator[RenderableType]:
        """The page at the end."""
        yield from page(self.report)
        records = sum(told.records for told in self.story.syncs)
        yield Text("\nSee for yourself", style="bold")
        yield Text(f"\n  {self.warehouse}", style="cyan")
        yield Text(f"\n{trial(self.folder)}\n", no_wrap=True, overflow="ignore", style="cyan")
        yield Text(
            f"  {records:,} records read in {self.seconds:.0f} s, from a service that was simulated.", style="dim"
        )


@contextmanager
def set_keys() -> Iterator[None]:
    """The keys of the simulated service in this process's environment, for as long as the block lasts."""
    before = {name: os.environ.get(name) for name in KEYS}
    os.environ.update(KEYS)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
