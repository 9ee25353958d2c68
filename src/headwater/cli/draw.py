"""Tables and lines for a person's eye, from the results of `run.app`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from headwater.clock import iso
from headwater.run.result import Answer, Checked, Explained, FeedStatus, RunReport, StepResult, TableStatus

_COLOURS = {"done": "green", "partial": "yellow", "failed": "red", "skipped": "yellow"}


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
            return iso(value.replace(tzinfo=UTC) if value.tzinfo is None else value)
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
        parts.append(table(("table", "finding", "count", "detail"), rows_found, title="Worth a look"))
    parts.extend(_trouble(step) for step in done.steps if step.state != "done" and not done.stopped)
    return parts


def _headline(done: RunReport) -> Text:
    said = {"done": "Done", "partial": "Some parts failed", "failed": "Failed"}[done.outcome]
    if done.stopped:
        said = "Stopped; the next run goes on from there"
    refused = f", {done.quarantined:,} quarantined" if done.quarantined else ""
    written = "" if done.written else "; nothing to write"
    read = f"{_counted(done.rows, 'record')} read in {_counted(done.requests, 'request')}"
    numbers = f"{read}, {done.kept:,} kept{refused}{written}"
    return Text.assemble((said, _COLOURS[done.outcome]), f": {done.tenant}, {done.seconds:.1f} s. {numbers}.")


def _trouble(step: StepResult) -> Text:
    why = str(step.error) if step.error else step.detail
    return Text.assemble("\n", (f"{step.state} ", _COLOURS[step.state]), f"{step.step}\n", why)


def feeds(rows: Sequence[FeedStatus]) -> Table:
    """How far each resource is."""
    columns = ("connection", "resource", "until", "windows", "rows", "waiting", "quarantined", "drift", "failed")
    return table(columns, [_feed(row) for row in rows], title="Resources")


def _feed(row: FeedStatus) -> tuple[Any, ...]:
    until = row.until or "nothing yet"
    drift = ", ".join(row.drift) if len(row.drift) <= 3 else f"{len(row.drift)} fields"
    failed = row.failed.splitlines()[0] if row.failed else ""
    return (row.connection, row.resource, until, row.windows, row.rows, row.waiting, row.quarantined, drift, failed)


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
