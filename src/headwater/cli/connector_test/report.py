"""The report of `connector test`: every scenario, and what to mend for those that failed."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from headwater.cli.connector_test.progress import COLOURS
from headwater.cli.render import render_table
from headwater.run import app


def render_report(report: app.ConnectorTestReport) -> Iterator[RenderableType]:
    """The tested resources, all scenarios, the failures and a summary."""
    shapes = [(name, shape, ", ".join(report.covered.get(name, ()))) for name, shape in sorted(report.shapes.items())]
    yield render_table(("resource", "is read by", "as are"), shapes, title="Tested resources")
    rows = [(one.scenario, one.resource, one.promise, one.outcome) for one in report.results]
    yield render_table(("scenario", "resource", "promise", "outcome"), rows, title="Scenarios")
    for result in report.results:
        if result.outcome == "not_applicable":
            yield Text(f"not applicable: {result.scenario} of {result.resource}: {result.detail}", style="dim")
        elif result.outcome == "reported":
            yield Text(f"reported: {result.scenario} of {result.resource}: {result.detail}")
    for result in report.failures:
        yield _render_failure(result)
    yield _render_summary(report)


def _render_failure(result: app.ScenarioResult) -> Text:
    return Text.assemble(
        "\n",
        (f"failed {result.scenario} of {result.resource}: {result.promise}", COLOURS["failed"]),
        f"\n  found  {result.detail}\n  fix    look at {result.look_at}",
    )


def _render_summary(report: app.ConnectorTestReport) -> Text:
    counts = report.counts
    names = ("passed", "reported", "failed", "not_applicable")
    parts = [f"{counts[name]} {name.replace('_', ' ')}" for name in names if counts[name]]
    summary = f": {', '.join(parts) or 'no scenario was played'}, in {report.seconds:.0f} s, seed {report.seed}."
    return Text.assemble("\n", (report.outcome.capitalize(), COLOURS.get(report.outcome, "yellow")), summary)
