"""The report of a run, rendered for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from headwater.cli.render import format_count, render_table
from headwater.run.results import RecordCount, RunReport, StepResult

STATE_COLOURS = {
    "succeeded": "green",
    "partial": "yellow",
    "failed": "red",
    "cancelled": "yellow",
    "crashed": "red",
    "skipped": "yellow",
}
"""The color of each outcome of a run and each state of a step."""

_HEADLINES = {
    "succeeded": "Succeeded",
    "partial": "Some parts failed",
    "failed": "Failed",
    "cancelled": "Cancelled; the next run resumes from there",
    "crashed": "Crashed",
}


def render_report(report: RunReport) -> list[Text | Table]:
    """Render the report of a run."""
    parts: list[Text | Table] = [_render_headline(report), *(Text(f"note: {note}") for note in report.notes)]
    if report.written:
        rows = [(name, inserted, deleted) for name, (deleted, inserted) in sorted(report.written.items())]
        parts.append(render_table(("table", "inserted", "deleted"), rows, title="Written"))
    if report.findings:
        findings = [(item.table, item.finding, item.count, item.detail) for item in report.findings]
        parts.append(render_table(("table", "finding", "count", "detail"), findings, title="Warnings"))
    parts.extend(render_counts([row for row in report.counts if row.numbers["unexplained"]]))
    cancelled = report.outcome == "cancelled"
    parts.extend(_render_failure(step) for step in report.steps if step.state != "succeeded" and not cancelled)
    return parts


def _render_headline(report: RunReport) -> Text:
    refused = f", {report.quarantined:,} quarantined" if report.quarantined else ""
    written = "" if report.written else "; nothing to write"
    read = f"{format_count(report.rows, 'record')} read in {format_count(report.requests, 'request')}"
    numbers = f"{read}, {report.kept:,} kept{refused}{written}"
    return Text.assemble(
        (_HEADLINES[report.outcome], STATE_COLOURS[report.outcome]),
        f": {report.tenant}, {report.seconds:.1f} s. {numbers}.",
    )


def _render_failure(step: StepResult) -> Text:
    why = str(step.error) if step.error else step.detail
    return Text.assemble("\n", (f"{step.state} ", STATE_COLOURS[step.state]), f"{step.step}\n", why)


def render_counts(rows: Sequence[RecordCount]) -> list[Table]:
    """Render the record counts, one line for each resource. Empty if nothing was counted."""
    columns = ("connection", "resource", "entity", "count", "differs since")
    lines = [(row.connection, row.resource, row.entity, row.line, row.differs_since or "") for row in rows]
    return [render_table(columns, lines, title="Counted")] if rows else []
