"""Renders the report as text, at least 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from headwater.cli.demo.report import History, Refusal, Report
from headwater.run.results import TableStatus

_CLASSES = {"Unknown": "no agreement"}
_HIDDEN_SUFFIXES = {"silver": ("_log", "_current")}
_THOUSAND = Decimal(1000)


def render_report(report: Report) -> Iterator[RenderableType]:
    """Render the sections of the report, from top to bottom."""
    yield from _render_section(
        "Tables", _render_tables(report.tables), "versions: every state of a record, with valid_from and valid_to"
    )
    yield from _render_section(
        "Work by class of agreement",
        _render_work(report.work),
        "amounts in thousands of krónur; revenue: hours at their rates, billed or not",
    )
    yield from _render_section("Work by billing status", _render_billing(report.paid), _describe_leak(report.leaked))
    yield from _render_section(
        f"One company as of three days ({report.history.entity_key})",
        _render_history(report.history),
        _describe_history(report.history),
    )
    yield from _render_section(
        "Quarantine",
        _render_quarantine(report.quarantine),
        "invalid records are quarantined; the other records of the page are loaded",
    )


def _render_section(title: str, body: RenderableType, note: str) -> Iterator[RenderableType]:
    yield Text(f"\n{title}", style="bold")
    yield Text()
    yield Padding(body, (0, 0, 0, 2))
    yield Text(f"\n  {note}", style="dim")


def _create_table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", border_style="dim")
    table.collapse_padding = True
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left")
    return table


def _render_tables(tables: Sequence[TableStatus]) -> Table:
    """Render dimensions, facts and versions side by side."""
    columns = (
        ("gold.dim_", _list_row_counts(tables, "gold", "dim_")),
        ("gold.fact_", _list_row_counts(tables, "gold", "fact_")),
        ("silver. (versions)", _list_row_counts(tables, "silver", "")),
    )
    table = _create_table(*(word for title, _ in columns for word in (title, "rows")), numbers=("rows",))
    for row in zip_longest(*(names for _, names in columns), fillvalue=("", "")):
        table.add_row(*(cell for pair in row for cell in pair))
    return table


def _list_row_counts(tables: Sequence[TableStatus], layer: str, prefix: str) -> list[tuple[str, str]]:
    return [
        (table.table.removeprefix(prefix), f"{table.rows:,}")
        for table in tables
        if table.layer == layer
        and table.table.startswith(prefix)
        and not table.table.endswith(_HIDDEN_SUFFIXES.get(layer, ("/",)))
    ]


def _render_work(rows: Sequence[Mapping[str, Any]]) -> Table:
    numbers = ("hours", "revenue", "cost", "margin", "margin %")
    table = _create_table("class", *numbers, numbers=numbers)
    for row in rows:
        table.add_row(_CLASSES.get(row["class"], row["class"]), *_format_amounts(row))
    table.add_section()
    total = {name: sum(row[name] for row in rows) for name in ("hours", "revenue", "cost", "margin")}
    table.add_row("all work", *_format_amounts(total), style="bold")
    return table


def _format_amounts(row: Mapping[str, Any]) -> Iterable[str]:
    percent = 100 * row["margin"] / row["revenue"] if row["revenue"] else 0
    thousands = (f"{row[name] / _THOUSAND:,.0f}" for name in ("revenue", "cost", "margin"))
    return (f"{row['hours']:,.1f}", *thousands, f"{percent:.1f}")


def _render_billing(rows: Sequence[Mapping[str, Any]]) -> Table:
    numbers = ("hours", "of all hours", "revenue")
    table = _create_table("status", *numbers, numbers=numbers)
    hours = sum(row["hours"] for row in rows)
    for row in rows:
        share, revenue = 100 * row["hours"] / hours, row["revenue"] / _THOUSAND
        table.add_row(row["status"], f"{row['hours']:,.1f}", f"{share:.1f} %", f"{revenue:,.0f}")
    return table


def _describe_leak(count: int) -> str:
    return f"invoice lines with internal or prepaid hours: {count or 'none'}"


def _render_history(history: History) -> Table:
    table = _create_table("as of", "name", "status", "territory", "hours worked", numbers=("hours worked",))
    for day, version in history.as_of:
        table.add_row(str(day), version["name"], version["status"], version["territory"], f"{version['hours']:,.1f}")
    return table


def _describe_history(history: History) -> str:
    return f"{history.versions} versions; work belongs to the version that was valid on its day"


def _render_quarantine(rows: Sequence[Refusal]) -> Table:
    table = _create_table("record", "field", "found", "rule", "state")
    for row in rows:
        table.add_row(f"{row.resource} {row.record}", row.field, row.value, row.rule, _render_state(row.state))
    return table


def _render_state(state: str) -> Text:
    return Text(state, style="yellow" if state == "waiting" else "green")
