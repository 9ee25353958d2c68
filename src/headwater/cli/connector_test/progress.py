"""Shows each scenario on standard error: with a status line on a terminal, as plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.text import Text

from headwater.run import app

COLOURS = {"passed": "green", "reported": "green", "failed": "red", "not_applicable": "dim"}

Listener = Callable[[str, str, app.ScenarioResult | None], None]
"""Called with None when a scenario starts, and with its result."""


@contextmanager
def show_progress() -> Iterator[Listener]:
    """Show the scenarios while the block runs."""
    if not sys.stderr.isatty():
        yield _print_plain
        return
    console = Console(stderr=True)
    with console.status("") as status:

        def listen(scenario: str, resource: str, result: app.ScenarioResult | None) -> None:
            if result is None:
                status.update(f"{scenario} of {resource}")
            elif result.outcome != "not_applicable":
                line = Text.assemble((result.outcome, COLOURS[result.outcome]), f" {scenario} of {resource}")
                console.print(line, highlight=False)

        yield listen


def _print_plain(scenario: str, resource: str, result: app.ScenarioResult | None) -> None:
    if result is not None and result.outcome != "not_applicable":
        typer.echo(f"{result.outcome} {scenario} resource={resource} seconds={result.seconds:.1f}", err=True)
