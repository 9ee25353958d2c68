"""The report of a run, rendered for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from rich.console import RenderableType
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

_SHOWN = 3
"""The number of steps whose names are printed for a cause."""

_HEADLINES = {
    "succeeded": "Succeeded",
    "partial": "Some parts failed",
    "failed": "Failed",
    "cancelled": "Cancelled; the next run resumes from there",
    "crashed": "Crashed",
}


def render_report(report: RunReport) -> list[RenderableType]:
    """Render the report of a run."""
    parts: list[RenderableType] = [_render_headline(report), *(Text(f"note: {note}") for note in report.notes)]
    parts.extend(
        Text(f"published {step.step.partition(':')[2]}: {step.detail}")
        for step in report.steps
        if step.step.startswith("publish:") and step.state == "succeeded" and not step.detail.startswith("0 of")
    )
    if report.written:
        rows = [(name, inserted, deleted) for name, (deleted, inserted) in sorted(report.written.items())]
        parts.append(render_table(("table", "inserted", "deleted"), rows, title="Written"))
    if report.findings:
        findings = [(item.table, item.finding, item.count, item.detail) for item in report.findings]
        parts.append(render_table(("table", "finding", "count", "detail"), findings, title="Warnings"))
    parts.extend(render_counts([row for row in report.counts if row.numbers["unexplained"]]))
    if report.outcome != "cancelled":
        parts.extend(render_failures(report.steps))
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


def render_failures(steps: Sequence[StepResult]) -> list[Text]:
    """Each cause once, with the steps that failed by it and the number of steps that wait for them.

    A step may wait for several causes. Then each of them counts it.
    """
    by_cause: dict[tuple[str, ...], list[StepResult]] = {}
    for step in steps:
        if step.state == "failed" or (step.state == "skipped" and not step.waits_for):
            by_cause.setdefault(_find_cause(step), []).append(step)
    waiting = {step.step: step.waits_for for step in steps if step.waits_for}
    parts = [
        Text.assemble(
            "\n",
            (f"{failed[0].state} ", STATE_COLOURS[failed[0].state]),
            f"{_list_some([step.step for step in failed])}\n{failed[0].error or failed[0].detail}",
            _describe_waiting({step.step for step in failed}, waiting),
        )
        for failed in by_cause.values()
    ]
    return [*parts, Text("\n`--json` lists all steps.", style="dim")] if waiting else parts


def _find_cause(step: StepResult) -> tuple[str, ...]:
    """What makes two failures the same. The location differs, e.g. the URL of each resource."""
    error = step.error
    return (error.message, error.details, error.hint) if error else (step.detail,)


def _describe_waiting(roots: Set[str], waiting: Mapping[str, Sequence[str]]) -> str:
    """The steps that wait for one of `roots`, directly or through others, as a line of text."""
    waiters: dict[str, None] = {}
    # Steps are in the order of the plan, in which a step comes after those that it needs.
    for step, needed in waiting.items():
        if any(name in roots or name in waiters for name in needed):
            waiters[step] = None
    return f"\n  {format_count(len(waiters), 'step')} skipped: {_list_some(list(waiters))}" if waiters else ""


def _list_some(names: Sequence[str]) -> str:
    """The first names, and the number of the others."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def render_counts(rows: Sequence[RecordCount]) -> list[RenderableType]:
    """Render the record counts, one line for each resource. Empty if nothing was counted."""
    columns = ("connection", "resource", "entity", "count", "differs since")
    lines = [(row.connection, row.resource, row.entity, row.line, row.differs_since or "") for row in rows]
    return [render_table(columns, lines, title="Counted")] if rows else []
