"""The date dimension: a row a day, keyed yyyymmdd, with the fiscal calendar and days off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from headwater.clock import EPOCH
from headwater.gold.columns import LOAD, check_columns
from headwater.model.dimension import DateDimension
from headwater.model.names_in_scope import DATE_ATTRIBUTES
from headwater.model.tables import name_key_column, name_table
from headwater.warehouse.base import Table, TableColumn

_TYPES = {
    "date": "date",
    "month_name": "text",
    "day_name": "text",
    "holiday_name": "text",
    "is_weekend": "boolean",
    "is_holiday": "boolean",
    "is_month_start": "boolean",
    "is_month_end": "boolean",
}

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""The months, from 1."""

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""The days of a week, from 1."""


def build_table(dimension: DateDimension) -> Table:
    """The table that keeps `dimension`."""
    attributes = [name for name in DATE_ATTRIBUTES if name != name_key_column(dimension)]
    columns = (
        TableColumn(name=name_key_column(dimension), dtype="bigint", required=True),
        *(TableColumn(name=name, dtype=_TYPES.get(name, "integer")) for name in attributes),
        *LOAD,
    )
    check_columns(columns, where=f"{dimension.origin} dimension {dimension.dimension}")
    key = columns[0].name
    return Table(layer="gold", name=name_table(dimension), columns=columns, key=(key,), primary_key=(key,))


def build_rows(dimension: DateDimension) -> Iterator[dict[str, Any]]:
    """The rows of `dimension` by their columns; reserved members are not among them."""
    names = build_table(dimension).names
    for row in _iterate_rows(dimension):
        values = {**row, name_key_column(dimension): row["date_key"]}
        yield {name: values[name] for name in names}


def describe_dimension(dimension: DateDimension) -> str:
    """What the rows of `dimension` depend on, as text."""
    return dimension.model_dump_json(exclude={"description"})


def describe(dimension: DateDimension) -> str:
    """What the table holds, in words: its rows are computed, not selected."""
    table = build_table(dimension)
    return (
        f"-- a row a day from {dimension.first} to {dimension.last}, computed from the calendar\n"
        f"-- fiscal years begin in {MONTHS[dimension.fiscal_year_start - 1]}; {len(dimension.holidays)} holidays\n"
        f"-- {', '.join(table.names)}\n"
    )


def key_sql(day: str) -> str:
    """SQL of the key of a day (SQL of a date)."""
    return f"CAST(YEAR({day}) * 10000 + MONTH({day}) * 100 + DAY({day}) AS BIGINT)"


def outside_condition(dimension: DateDimension, day: str) -> str:
    """SQL that holds where a day is not in the span of `dimension`."""
    return f"{day} NOT BETWEEN DATE '{dimension.first}' AND DATE '{dimension.last}'"


def _iterate_rows(dimension: DateDimension) -> Iterator[dict[str, Any]]:
    load = {"loaded_at": EPOCH.replace(tzinfo=None), "batch_id": "calendar", "source": "headwater"}
    for offset in range((dimension.last - dimension.first).days + 1):
        day = dimension.first + timedelta(days=offset)
        yield {
            **_build_civil_fields(day),
            **_build_fiscal_fields(day, dimension.fiscal_year_start),
            **_build_holiday_fields(day, dimension),
            **load,
        }


def _build_civil_fields(day: date) -> dict[str, Any]:
    week = day.isocalendar()
    return {
        "date_key": day.year * 10000 + day.month * 100 + day.day,
        "date": day,
        "year": day.year,
        "quarter": (day.month + 2) // 3,
        "month": day.month,
        "month_name": MONTHS[day.month - 1],
        "week": week.week,
        "day_of_month": day.day,
        "day_of_week": week.weekday,
        "day_name": DAYS[week.weekday - 1],
        "day_of_year": day.timetuple().tm_yday,
        "is_weekend": week.weekday > 5,
        "is_month_start": day.day == 1,
        "is_month_end": (day + timedelta(days=1)).day == 1 if day < date.max else True,
    }


def _build_fiscal_fields(day: date, start: int) -> dict[str, Any]:
    month = (day.month - start) % 12 + 1
    # Named after the calendar year it ends in: a year that begins in January ends in its own.
    year = day.year + (1 if start > 1 and day.month >= start else 0)
    return {"fiscal_year": year, "fiscal_quarter": (month + 2) // 3, "fiscal_month": month}


def _build_holiday_fields(day: date, dimension: DateDimension) -> dict[str, Any]:
    return {"is_holiday": day in dimension.holidays, "holiday_name": dimension.holidays.get(day)}
