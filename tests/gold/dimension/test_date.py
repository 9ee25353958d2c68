"""The date dimension."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from headwater.gold.dimension.build import build_dimension
from headwater.model.dimension import DateDimension
from headwater.model.names_in_scope import DATE_ATTRIBUTES
from headwater.warehouse.base import WriteCounts
from tests.gold.builders import make_star, open_warehouse, read_rows

pytestmark = pytest.mark.usefixtures("on_each_engine")

DATES = DateDimension.model_validate(
    {
        "dimension": "date",
        "first": "2023-12-31",
        "last": "2025-01-01",
        "fiscal_year_start": 7,
        "holidays": {"2024-06-17": "Þjóðhátíðardagurinn"},
    }
)


def test_there_is_a_row_a_day_and_the_reserved_members():
    warehouse = open_warehouse("entry")
    written = build_dimension(warehouse, make_star(DATES), DATES)
    assert written == WriteCounts(inserted=368 + 3)
    assert read_rows(warehouse, "dim_date", "date_key", "day_name", "date", where="date_key < 0") == [
        (-3, "Error", None),
        (-2, "Not applicable", None),
        (-1, "Unknown", None),
    ]
    stored = [column.name for column in warehouse.describe("gold", "dim_date") or ()]
    assert set(DATE_ATTRIBUTES) <= set(stored)
    assert build_dimension(warehouse, make_star(DATES), DATES, rebuild=True) == WriteCounts()


def test_a_day_is_described():
    warehouse = open_warehouse("entry")
    build_dimension(warehouse, make_star(DATES), DATES)
    names = (
        "date", "year", "quarter", "month", "month_name", "week", "day_of_month", "day_of_week", "day_name",
        "day_of_year", "is_weekend", "is_holiday", "holiday_name", "is_month_start", "is_month_end",
        "fiscal_year", "fiscal_quarter", "fiscal_month",
    )  # fmt: skip
    assert read_rows(warehouse, "dim_date", *names, where="date_key IN (20240617, 20240630, 20241230)") == [
        ("2024-06-17", 2024, 2, 6, "June", 25, 17, 1, "Monday", 169, False, True, "Þjóðhátíðardagurinn",
         False, False, 2024, 4, 12),
        ("2024-06-30", 2024, 2, 6, "June", 26, 30, 7, "Sunday", 182, True, False, None, False, True, 2024, 4, 12),
        ("2024-12-30", 2024, 4, 12, "December", 1, 30, 1, "Monday", 365, False, False, None, False, False, 2025, 2, 6),
    ]  # fmt: skip


def test_keys_are_the_digits_of_the_day():
    warehouse = open_warehouse("entry")
    build_dimension(warehouse, make_star(DATES), DATES)
    for offset, (key, day) in enumerate(read_rows(warehouse, "dim_date", "date_key", "date", where="date_key > 0")):
        expected = date(2023, 12, 31) + timedelta(days=offset)
        assert (key, day) == (int(expected.strftime("%Y%m%d")), expected.isoformat())


def test_a_fiscal_year_that_begins_in_january_is_the_calendar_year():
    warehouse, plain = open_warehouse("entry"), DATES.model_copy(update={"fiscal_year_start": 1})
    build_dimension(warehouse, make_star(plain), plain)
    assert read_rows(warehouse, "dim_date", "date_key", where="fiscal_year <> year OR fiscal_month <> month") == []


def test_another_span_or_holiday_touches_only_the_days_it_changes():
    warehouse = open_warehouse("entry")
    build_dimension(warehouse, make_star(DATES), DATES)
    changed = DATES.model_copy(update={"last": date(2025, 1, 3), "holidays": {}})
    assert build_dimension(warehouse, make_star(changed), changed) == WriteCounts(deleted=1, inserted=3)
