"""Tables and lines for a person's eye, from the results of `run.app`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from headwater.clock import format_instant
from headwater.run.results import (
    CheckReport,
    Explanation,
    FeedStatus,
    History,
    QueryResult,
    RecordCount,
    RunReport,
    StepResult,
    TableStatus,
    VersionChange,
)

_COLOURS = {
    "succeeded": "green",
    "partial": "yellow",
    "failed": "red",
    "cancelled": "yellow",
    "crashed": "red",
    "skipped": "yellow",
}

_HEADLINES = {
    "succeeded": "Succeeded",
    "partial": "Some parts failed",
    "failed": "Failed",
    "cancelled": "Cancelled; the next run goes on from there",
    "crashed": "Crashed",
}


def render_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> Table:
    """A plain table; a column of numbers stands to the right."""
    listed = [list(row) for row in rows]
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        numeric = bool(listed) and all(_is_number(row[number]) for row in listed)
        table.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        table.add_row(*(render_cell(value) for value in row))
    return table


def render_cell(value: Any) -> Text:
    """One value, as text that rich does not read as markup."""
    return Text("NULL", style="dim") if value is None else Text(_to_text(value))


def _to_text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return format_instant(value.replace(tzinfo=UTC) if value.tzinfo is None else value)
        case list() | tuple():
            return ", ".join(map(str, value))
        case Mapping():
            return ", ".join(f"{name}={item}" for name, item in value.items())
    return str(value)


def render_check(check: CheckReport) -> list[Text | Table]:
    """What `check` found in good order."""
    counted = [
        (name, len(getattr(check, name)), ", ".join(getattr(check, name)))
        for name in ("connectors", "entities", "dimensions", "facts", "tenants")
    ]
    warnings = [Text(f"! {warning}", style="yellow") for warning in check.warnings]
    return [
        Text(f"{check.project} is in good order.", style="green"),
        render_table(("", "count", ""), counted),
        *warnings,
    ]


def render_report(report: RunReport) -> list[Text | Table]:
    """What a run did."""
    parts: list[Text | Table] = [_render_headline(report)]
    if report.written:
        rows = [(name, inserted, deleted) for name, (deleted, inserted) in sorted(report.written.items())]
        parts.append(render_table(("table", "inserted", "deleted"), rows, title="Written"))
    if report.findings:
        rows_found = [(item.table, item.finding, item.count, item.detail) for item in report.findings]
        parts.append(render_table(("table", "finding", "count", "detail"), rows_found, title="Warnings"))
    parts.extend(render_counts([row for row in report.counts if row.numbers["unexplained"]]))
    cancelled = report.outcome == "cancelled"
    parts.extend(_render_failure(step) for step in report.steps if step.state != "succeeded" and not cancelled)
    return parts


def render_step_report(report: RunReport) -> list[Text | Table]:
    """What one step of a plan did."""
    lines = [
        Text.assemble((step.state, _COLOURS[step.state]), f"  {step.step}  {step.detail}")
        for step in report.steps
        if step.state == "succeeded"
    ]
    return [*lines, *render_report(report)]


def _render_headline(report: RunReport) -> Text:
    refused = f", {report.quarantined:,} quarantined" if report.quarantined else ""
    written = "" if report.written else "; nothing to write"
    read = f"{_count_noun(report.rows, 'record')} read in {_count_noun(report.requests, 'request')}"
    numbers = f"{read}, {report.kept:,} kept{refused}{written}"
    return Text.assemble(
        (_HEADLINES[report.outcome], _COLOURS[report.outcome]), f": {report.tenant}, {report.seconds:.1f} s. {numbers}."
    )


def _render_failure(step: StepResult) -> Text:
    why = str(step.error) if step.error else step.detail
    return Text.assemble("\n", (f"{step.state} ", _COLOURS[step.state]), f"{step.step}\n", why)


def render_feeds(rows: Sequence[FeedStatus]) -> Table:
    """How far each resource is."""
    columns = ("connection", "resource", "until", "windows", "rows", "waiting", "quarantined", "drift", "failed")
    return render_table(columns, [_render_feed(row) for row in rows], title="Resources")


def _render_feed(row: FeedStatus) -> tuple[Any, ...]:
    until = row.until or "nothing yet"
    # Fields that a service leaves out of its answers are in the JSON; here they would only drown what is new.
    news = [drift for drift in row.drift if not drift.startswith("missing ")]
    drift = ", ".join(news) if len(news) <= 3 else f"{len(news)} fields"
    failed = row.failed.splitlines()[0] if row.failed else ""
    return (row.connection, row.resource, until, row.windows, row.rows, row.waiting, row.quarantined, drift, failed)


def render_counts(rows: Sequence[RecordCount]) -> list[Table]:
    """How many records services have and how many are here: a line a resource; nothing where none was counted."""
    columns = ("connection", "resource", "entity", "count", "differs since")
    lines = [(row.connection, row.resource, row.entity, row.line, row.differs_since or "") for row in rows]
    return [render_table(columns, lines, title="Counted")] if rows else []


def render_tables(rows: Sequence[TableStatus]) -> Table:
    """The tables of the warehouse."""
    return render_table(("layer", "table", "rows"), [(row.layer, row.table, row.rows) for row in rows], title="Tables")


def render_query(result: QueryResult) -> list[Text | Table]:
    """The rows of a query, and how many."""
    return [render_table(result.columns, result.rows), Text(_count_noun(len(result.rows), "row"), style="dim")]


def render_explanation(explanation: Explanation) -> list[Text | Table]:
    """Where a table comes from."""
    return [
        Text(f"{explanation.kind} {explanation.name}, declared in {explanation.declared}"),
        render_table(("column", "expression", "from"), explanation.lineage, title="Lineage"),
        *(Text(f"\n{statement.rstrip(';')};") for statement in explanation.sql),
    ]


def render_history(history: History) -> list[Text | Table]:
    """The version history of one record: a line for each version, and what the service sent, if it was asked for."""
    versions = sum(moment.kind not in _GONE for moment in history.moments)
    counted = f"{_count_noun(versions, 'version')} of {_count_noun(history.events, 'observation')}"
    head = f"{history.entity} {history.entity_key}: {counted}"
    columns = ("from", "to", "what", "source", "read at", "batch")
    parts: list[Text | Table] = [
        Text(head),
        render_table(columns, [_render_change(moment) for moment in history.moments]),
    ]
    if history.overwritten:
        newest = ", ".join(f"{name} = {_render_value(value)}" for name, value in history.overwritten.items())
        parts.append(Text(f"without versions of their own: {newest}", style="dim"))
    for moment in history.moments:
        for record in moment.records:
            parts += [
                Text(f"\n{format_instant(moment.at)}  {record.path}, line {record.line}", style="dim"),
                Text(record.record),
            ]
    return parts


_GONE = {
    "deleted": "gone: the source says it was deleted",
    "absent": "gone: a complete read did not find it",
}


def _render_change(moment: VersionChange) -> tuple[Any, ...]:
    until = "open" if moment.until is None else format_instant(moment.until)
    source = f"{moment.connection} {moment.source}"
    return (moment.at, until, _describe_change(moment), source, moment.read_at or "", moment.batch_id)


def _describe_change(moment: VersionChange) -> str:
    """What a stretch began with: all that is known of the first version, else each column that changed."""
    if moment.kind in _GONE:
        return _GONE[moment.kind]
    if moment.kind == "first":
        return "\n".join(f"{change.column} = {_render_value(change.new)}" for change in moment.changes)
    changes = [
        f"{change.column}: {_render_value(change.old)} -> {_render_value(change.new)}" for change in moment.changes
    ]
    return "\n".join(["back", *changes] if moment.kind == "back" else changes)


def _render_value(value: Any) -> str:
    """A value within a line, where the empty text would not be seen."""
    return "NULL" if value is None else "''" if value == "" else _to_text(value)


def render_pairs(values: Mapping[str, Any]) -> Table:
    """Names and values, a line each."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in values.items():
        table.add_row(Text(name, style="dim"), render_cell(value))
    return table


def render_list(rows: Sequence[Mapping[str, Any]], *, empty: str) -> Table | Text:
    """Rows of the same names as a table, or a line that says there are none."""
    if not rows:
        return Text(empty, style="dim")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return render_table(columns, [[row.get(name, "") for name in columns] for row in rows])


def _count_noun(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
