"""What the renderers of several commands share: tables, names with values, and cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.table import Table
from rich.text import Text

from headwater.cli.fitted_table import FittedTable
from headwater.clock import format_instant


def render_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    title: str = "",
    whole: Collection[str] = (),
    sideways: bool = False,
) -> FittedTable:
    """A plain table. Columns of numbers are right-aligned. The columns in `whole` are never folded."""
    listed = [list(row) for row in rows]
    return FittedTable(
        columns=columns,
        rows=[[render_cell(value) for value in row] for row in listed],
        title=title,
        numeric=find_numeric(len(columns), listed),
        whole=whole,
        sideways=sideways,
    )


def find_numeric(count: int, rows: Sequence[Sequence[Any]]) -> frozenset[int]:
    """The positions of the columns, of `count`, in which each value is a number."""
    return frozenset(number for number in range(count) if rows and all(_is_number(row[number]) for row in rows))


def render_cell(value: Any) -> Text:
    """One value as text without rich markup."""
    return Text("NULL", style="dim") if value is None else Text(format_value(value))


def format_value(value: Any) -> str:
    """One value as text. A timestamp without a zone is in UTC."""
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


def render_pairs(values: Mapping[str, Any]) -> Table:
    """Names and values, one pair on each line."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in values.items():
        table.add_row(Text(name, style="dim"), render_cell(value))
    return table


def render_list(rows: Sequence[Mapping[str, Any]], *, empty: str, whole: Collection[str] = ()) -> FittedTable | Text:
    """Rows as a table, or the text `empty` if there are none."""
    if not rows:
        return Text(empty, style="dim")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return render_table(columns, [[row.get(name, "") for name in columns] for row in rows], whole=whole)


def format_count(count: int, noun: str) -> str:
    """`1 record`, `2,000 records`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
