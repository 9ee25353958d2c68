"""Facts over periods: which months there are, and which rows the passing of time touches."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from headwater.gold.fact.select import CompiledFact
from headwater.warehouse.base import Warehouse


def stage_months(warehouse: Warehouse, parts: CompiledFact, last: date) -> str:
    """The months from the first that any row spans up to `last`, staged as `period_start`, `period_end`."""
    first = last
    for part in parts.parts:
        begins = part.span[0] if part.span else "NULL"
        found = warehouse.rows(f"SELECT MIN({begins}) FROM {part.relation} AS _row WHERE _row.is_current")[0][0]
        first = min(first, found) if found else first
    values = ", ".join(f"(DATE '{start}', DATE '{end}')" for start, end in _list_months(first, last))
    return warehouse.stage("gold_months", f"SELECT * FROM (VALUES {values}) AS months(period_start, period_end)")


def _list_months(first: date, last: date) -> Iterator[tuple[str, str]]:
    for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        start = date(number // 12, number % 12 + 1, 1)
        yield start.isoformat(), start.replace(day=monthrange(start.year, start.month)[1]).isoformat()


def select_open(parts: CompiledFact, since: int) -> str:
    """SELECT of the keys of rows that may span a month after `since` (yyyymm)."""
    month = date(since // 100, since % 100, 1)
    last = month.replace(day=monthrange(month.year, month.month)[1])
    return "\nUNION\n".join(
        f"SELECT _row.entity_key FROM {part.relation} AS _row "
        f"WHERE _row.is_current AND ({part.span[1]} IS NULL OR {part.span[1]} > DATE '{last}')"
        for part in parts.parts
        if part.span
    )


def select_spanless(parts: CompiledFact, relations: list[str]) -> str:
    """SELECT of the keys of rows that span no month, because they never begin or end before they do."""
    return "\nUNION\n".join(
        f"SELECT _row.entity_key FROM {relation} AS _row "
        f"WHERE _row.is_current AND ({part.span[0]} IS NULL OR {part.span[1]} < {part.span[0]})"
        for part, relation in zip(parts.parts, relations, strict=True)
        if part.span
    )
