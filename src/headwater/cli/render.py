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
    Answer,
    Checked,
    Counted,
    Explained,
    FeedStatus,
    History,
    Moment,
    RunReport,
    StepResult,
    TableStatus,
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


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> Table:
    """A plain table; a column of numbers stands to the right."""
    listed = [list(row) for row in rows]
    drawn = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        numeric = bool(listed) and all(_number(row[number]) for row in listed)
        drawn.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        drawn.add_row(*(cell(value) for value in row))
    return drawn


def cell(value: Any) -> Text:
    """One value, as text that rich does not read as markup."""
    return Text("NULL", style="dim") if value is None else Text(_spelled(value))


def _spelled(value: Any) -> str:
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


def checked(found: Checked) -> list[Text | Table]:
    """What `check` found in good order."""
    counted = [
        (name, len(getattr(found, name)), ", ".join(getattr(found, name)))
        for name in ("connectors", "entities", "dimensions", "facts", "tenants")
    ]
    warnings = [Text(f"! {warning}", style="yellow") for warning in found.warnings]
    return [Text(f"{found.project} is in good order.", style="green"), table(("", "count", ""), counted), *warnings]


def report(done: RunReport) -> list[Text | Table]:
    """What a run did."""
    parts: list[Text | Table] = [_headline(done)]
    if done.written:
        rows = [(name, inserted, deleted) for name, (deleted, inserted) in sorted(done.written.items())]
        parts.append(table(("table", "inserted", "deleted"), rows, title="Written"))
    if done.findings:
        rows_found = [(item.table, item.finding, item.count, item.detail) for item in done.findings]
        parts.append(table(("table", "finding", "count", "detail"), rows_found, title="Warnings"))
    parts.extend(counts([row for row in done.counts if row.numbers["unexplained"]]))
    cancelled = done.outcome == "cancelled"
    parts.extend(_trouble(step) for step in done.steps if step.state != "succeeded" and not cancelled)
    return parts


def step_report(done: RunReport) -> list[Text | Table]:
    """What one step of a plan did."""
    lines = [
        Text.assemble((step.state, _COLOURS[step.state]), f"  {step.step}  {step.detail}")
        for step in done.steps
        if step.state == "succeeded"
    ]
    return [*lines, *report(done)]


def _headline(done: RunReport) -> Text:
    refused = f", {done.quarantined:,} quarantined" if done.quarantined else ""
    written = "" if done.written else "; nothing to write"
    read = f"{_counted(done.rows, 'record')} read in {_counted(done.requests, 'request')}"
    numbers = f"{read}, {done.kept:,} kept{refused}{written}"
    return Text.assemble(
        (_HEADLINES[done.outcome], _COLOURS[done.outcome]), f": {done.tenant}, {done.seconds:.1f} s. {numbers}."
    )


def _trouble(step: StepResult) -> Text:
    why = str(step.error) if step.error else step.detail
    return Text.assemble("\n", (f"{step.state} ", _COLOURS[step.state]), f"{step.step}\n", why)


def feeds(rows: Sequence[FeedStatus]) -> Table:
    """How far each resource is."""
    columns = ("connection", "resource", "until", "windows", "rows", "waiting", "quarantined", "drift", "failed")
    return table(columns, [_feed(row) for row in rows], title="Resources")


def _feed(row: FeedStatus) -> tuple[Any, ...]:
    until = row.until or "nothing yet"
    # Fields that a service leaves out of its answers are in the JSON; here they would only drown what is new.
    news = [drift for drift in row.drift if not drift.startswith("missing ")]
    drift = ", ".join(news) if len(news) <= 3 else f"{len(news)} fields"
    failed = row.failed.splitlines()[0] if row.failed else ""
    return (row.connection, row.resource, until, row.windows, row.rows, row.waiting, row.quarantined, drift, failed)


def counts(rows: Sequence[Counted]) -> list[Table]:
    """How many records services have and how many are here: a line a resource; nothing where none was counted."""
    columns = ("connection", "resource", "entity", "count", "differs since")
    lines = [(row.connection, row.resource, row.entity, row.line, row.differs_since or "") for row in rows]
    return [table(columns, lines, title="Counted")] if rows else []


def tables(rows: Sequence[TableStatus]) -> Table:
    """The tables of the warehouse."""
    return table(("layer", "table", "rows"), [(row.layer, row.table, row.rows) for row in rows], title="Tables")


def answered(found: Answer) -> list[Text | Table]:
    """The rows of a query, and how many."""
    return [table(found.columns, found.rows), Text(_counted(len(found.rows), "row"), style="dim")]


def explained(found: Explained) -> list[Text | Table]:
    """Where a table comes from."""
    return [
        Text(f"{found.kind} {found.name}, declared in {found.declared}"),
        table(("column", "expression", "from"), found.lineage, title="Lineage"),
        *(Text(f"\n{statement.rstrip(';')};") for statement in found.sql),
    ]


def life(found: History) -> list[Text | Table]:
    """The version history of one record: a line for each version, and what the service sent, if it was asked for."""
    versions = sum(moment.kind not in _GONE for moment in found.moments)
    head = (
        f"{found.entity} {found.entity_key}: {_counted(versions, 'version')} of {_counted(found.events, 'observation')}"
    )
    columns = ("from", "to", "what", "source", "read at", "batch")
    parts: list[Text | Table] = [Text(head), table(columns, [_moment(moment) for moment in found.moments])]
    if found.overwritten:
        newest = ", ".join(f"{name} = {_shown(value)}" for name, value in found.overwritten.items())
        parts.append(Text(f"without versions of their own: {newest}", style="dim"))
    for moment in found.moments:
        for one in moment.records:
            parts += [
                Text(f"\n{format_instant(moment.at)}  {one.path}, line {one.line}", style="dim"),
                Text(one.record),
            ]
    return parts


_GONE = {
    "deleted": "gone: the source says it was deleted",
    "absent": "gone: a complete read did not find it",
}


def _moment(moment: Moment) -> tuple[Any, ...]:
    until = "open" if moment.until is None else format_instant(moment.until)
    source = f"{moment.connection} {moment.source}"
    return (moment.at, until, _what(moment), source, moment.read_at or "", moment.batch_id)


def _what(moment: Moment) -> str:
    """What a stretch began with: all that is known of the first version, else each column that changed."""
    if moment.kind in _GONE:
        return _GONE[moment.kind]
    if moment.kind == "first":
        return "\n".join(f"{change.column} = {_shown(change.new)}" for change in moment.changes)
    changes = [f"{change.column}: {_shown(change.old)} -> {_shown(change.new)}" for change in moment.changes]
    return "\n".join(["back", *changes] if moment.kind == "back" else changes)


def _shown(value: Any) -> str:
    """A value within a line, where the empty text would not be seen."""
    return "NULL" if value is None else "''" if value == "" else _spelled(value)


def pairs(values: Mapping[str, Any]) -> Table:
    """Names and values, a line each."""
    drawn = Table(box=None, show_header=False, pad_edge=False)
    for name, value in values.items():
        drawn.add_row(Text(name, style="dim"), cell(value))
    return drawn


def listing(rows: Sequence[Mapping[str, Any]], *, nothing: str) -> Table | Text:
    """Rows of the same names as a table, or a line that says there are none."""
    if not rows:
        return Text(nothing, style="dim")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return table(columns, [[row.get(name, "") for name in columns] for row in rows])


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
