"""The frame around long work: somebody listens, Ctrl-C is a question, and the report is the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import RenderableType

from headwater.cli import render
from headwater.cli.log import listening
from headwater.cli.options import Face, Place
from headwater.cli.output import answer, plain
from headwater.cli.signals import stopping
from headwater.run import app
from headwater.run.results import RunReport
from headwater.run.workspace import Workspace

Work = Callable[[Workspace, Callable[[], bool]], RunReport]
"""What is done to an open project, asking between two pages whether to stop."""

Draw = Callable[[RunReport], Sequence[RenderableType]]
"""A report, for a person."""


def working(place: Place, face: Face, work: Work, *, draw: Draw = render.report) -> int:
    """Do `work` with progress, print its report; its exit code."""
    with (
        stopping() as stop,
        listening() as listen,
        app.open_project(place.project, environment=place.environment, listen=listen) as opened,
    ):
        done = work(opened, stop)
    answer(face, reported(done), *draw(done))
    return done.exit_code


def reported(done: RunReport) -> dict[str, object]:
    """A report as `--json` prints it."""
    written = {name: {"deleted": deleted, "inserted": inserted} for name, (deleted, inserted) in done.written.items()}
    return {**plain(done), "written": written, "exit_code": done.exit_code}
