"""The report as a page for the eye, 80 columns wide or more."""

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
_SPARE = {"silver": ("_log", "_current")}
_THOUSAND = Decimal(1000)


def page(found: Report) -> Iterator[RenderableType]:
    """The parts of the page, from top to bottom."""
    yield from _part(
        "What was made", _tables(found.tables), "versions: every state a thing was ever in, each with its from and to"
    )
    yield from _part(
        "Work by class of agreement",
        _work(found.work),
        "amounts in thousands of krónur; revenue: hours at their rates, whoever pays",
    )
    yield from _part("How that work is paid", _paid(found.paid), _leaked(found.leaked))
    yield from _part(
        f"One company as of three days ({found.history.entity_key})", _history(found.history), _told(found.history)
    )
    yield from _part(
        "Quarantine",
        _quarantine(found.quarantine),
        "refused records keep nothing else waiting: the rest of their page went on",
    )


def _part(title: str, body: RenderableType, note: str) -> Iterator[RenderableType]:
    yield Text(f"\n{title}", style="bold")
    yield Text()
    yield Padding(body, (0, 0, 0, 2))
    yield Text(f"\n  {note}", style="dim")


def _table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", border_style="dim")
    drawn.collapse_padding = True
    for column in columns:
        drawn.add_column(column, justify="right" if column in numbers else "left")
    return drawn


def _tables(tables: Sequence[TableStatus]) -> Table:
    """Dimensions, facts and versions side by side."""
    columns = (
        ("gold.dim_", _named(tables, "gold", "dim_")),
        ("gold.fact_", _named(tables, "gold", "fact_")),
        ("silver. (versions)", _named(tables, "silver", "")),
    )
    drawn = _table(*(word for title, _ in columns for word in (title, "rows")), numbers=("rows",))
    for row in zip_longest(*(names for _, names in columns), fillvalue=("", "")):
        drawn.add_row(*(cell for pair in row for cell in pair))
    return drawn


def _named(tables: Sequence[TableStatus], layer: str, prefix: str) -> list[tuple[str, str]]:
    return [
        (table.table.removeprefix(prefix), f"{table.rows:,}")
        for table in tables
        if table.layer == layer
        and table.table.startswith(prefix)
        and not table.table.endswith(_SPARE.get(layer, ("/",)))
    ]


def _work(rows: Sequence[Mapping[str, Any]]) -> Table:
    numbers = ("hours", "revenue", "cost", "margin", "margin %")
    drawn = _table("class", *numbers, numbers=numbers)
    for row in rows:
        drawn.add_row(_CLASSES.get(row["class"], row["class"]), *_money(row))
    drawn.add_section()
    total = {name: sum(row[name] for row in rows) for name in ("hours", "revenue", "cost", "margin")}
    drawn.add_row("all work", *_money(total), style="bold")
    return drawn


def _money(row: Mapping[str, Any]) -> Iterable[str]:
    percent = 100 * row["margin"] / row["revenue"] if row["revenue"] else 0
    thousands = (f"{row[name] / _THOUSAND:,.0f}" for name in ("revenue", "cost", "margin"))
    return (f"{row['hours']:,.1f}", *thousands, f"{percent:.1f}")


def _paid(rows: Sequence[Mapping[str, Any]]) -> Table:
    numbers = ("hours", "of all hours", "revenue")
    drawn = _table("status", *numbers, numbers=numbers)
    hours = sum(row["hours"] for row in rows)
    for row in rows:
        share, revenue = 100 * row["hours"] / hours, row["revenue"] / _THOUSAND
        drawn.add_row(row["status"], f"{row['hours']:,.1f}", f"{share:.1f} %", f"{revenue:,.0f}")
    return drawn


def _leaked(count: int) -> str:
    return f"internal or prepaid hours that got onto an invoice: {count or 'none'}"


def _history(found: History) -> Table:
    drawn = _table("as of", "name", "status", "territory", "hours worked", numbers=("hours worked",))
    for day, version in found.as_of:
        drawn.add_row(str(day), version["name"], version["status"], version["territory"], f"{version['hours']:,.1f}")
    return drawn


def _told(found: History) -> str:
    return f"{found.versions} versions; work stays with what the company was when it was done"


def _quarantine(rows: Sequence[Refusal]) -> Table:
    drawn = _table("record", "field", "saw", "rule", "now")
    for row in rows:
        drawn.add_row(f"{row.resource} {row.record}", row.field, row.value, row.rule, _state(row.state))
    return drawn


def _state(state: str) -> Text:
    return Text(state, style="yellow" if state == "waiting" else "green")
