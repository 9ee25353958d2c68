"""What portable SQL means is the same on every engine: values held against those that DuckDB gives."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.temporal.keys import hash60_sql
from headwater.temporal.sql import micros_sql, timestamp_sql
from headwater.warehouse.duckdb.engine import DuckDB

DOUBLES = "CAST({} AS DOUBLE)"
EXPRESSIONS = (
    "1 / 3", "CAST(7 AS DECIMAL(18,4)) / 2", "1 / 0", "-1 / 0", "CAST(0 AS DOUBLE) / 0", "NULL / 0",
    "ROUND(CAST(2.5 AS DOUBLE))", "ROUND(CAST(-2.5 AS DOUBLE))", "ROUND(CAST(1.005 AS DOUBLE), 2)",
    "ROUND(CAST(2.675 AS DOUBLE), 2)", "ROUND(CAST(2.345 AS DECIMAL(18,4)), 2)", "ROUND(CAST(-2.345 AS DECIMAL(18,4)), 2)",
    "CAST(CAST(2.5 AS DECIMAL(18,4)) AS BIGINT)", "CAST(CAST(2.5 AS DOUBLE) AS BIGINT)", "CAST(3.7 AS INTEGER)",
    "7 % 3", "-7 % 3", "ABS(-3)", "FLOOR(CAST(-2.5 AS DOUBLE))", "GREATEST(1, NULL, 3)", "LEAST(NULL, 2)",
    "LOWER('ÄÐÞÉ Straße')", "UPPER('äðþé')", "LENGTH('þjónusta')", "SUBSTRING('þjónusta', 2, 3)", "LEFT('abc', 2)",
    "RIGHT('abc', 2)", "TRIM('  a b ')", "STRPOS('abc', 'c')", "SPLIT_PART('psa:1:2', ':', 1)", "REPLACE('a|b', '|', '\\|')",
    "CONCAT('a', NULL, 'b')", "'a' || NULL", "STARTS_WITH('abc', 'ab')", "'a_b' LIKE 'a%'", "'Z' < 'a'", "'á' < 'b'",
    "DATE_DIFF('minute', TIMESTAMP '2026-01-01 10:00:59', TIMESTAMP '2026-01-01 10:01:00')",
    "DATE_DIFF('minute', TIMESTAMP '2026-01-01 10:01:00', TIMESTAMP '2026-01-01 10:00:59')",
    "DATE_DIFF('hour', TIMESTAMP '1969-12-31 22:59:00', TIMESTAMP '1970-01-01 01:01:00')",
    "DATE_DIFF('day', TIMESTAMP '2026-01-01 23:59:00', TIMESTAMP '2026-01-02 00:00:00')",
    "DATE_DIFF('day', DATE '2026-03-01', DATE '2026-02-01')", "DATE_DIFF('month', DATE '2025-12-31', DATE '2026-01-01')",
    "DATE_DIFF('quarter', DATE '2025-12-31', DATE '2026-01-01')", "DATE_DIFF('year', DATE '2025-12-31', DATE '2026-01-01')",
    "DATE_TRUNC('month', DATE '2026-03-15')", "DATE_TRUNC('hour', TIMESTAMP '2026-03-15 10:20:30')",
    "EXTRACT(month FROM DATE '2026-03-15')", "EXTRACT(second FROM TIMESTAMP '2026-03-15 10:20:30.7')",
    "YEAR(DATE '2026-03-15')", "LAST_DAY(DATE '2026-02-03')", "DATE '2026-01-31' + INTERVAL 1 MONTH",
    "CAST(TIMESTAMP '2026-01-01 10:00:00.5' AS VARCHAR)", "CAST(TRUE AS VARCHAR)", "CAST(CAST(1.5 AS DECIMAL(18,4)) AS VARCHAR)",
    "TRY_CAST('12' AS BIGINT)", "TRY_CAST('x' AS BIGINT)", "TRY_CAST('2026-02-30' AS DATE)", "TRY_CAST('1.25' AS DECIMAL(18,4))",
    "CASE WHEN NULL IS DISTINCT FROM 1 THEN 'differs' END", "COALESCE(NULL, 'x')", "NULLIF('a', 'a')", "1 IN (1, NULL)",
    micros_sql("TIMESTAMP '9999-12-30 23:59:59.999999'"), micros_sql("TIMESTAMP '0001-01-01 00:00:00.000001'"),
    timestamp_sql("253402214399999999"), timestamp_sql("-1"), timestamp_sql("1767225600000001"),
    hash60_sql("'psa:1'"), hash60_sql("'þ'"), "MD5('x')",
)  # fmt: skip


@pytest.fixture(scope="module")
def both(engine):
    """The engine, and DuckDB to hold it against."""
    opened, judge = engine.open(), DuckDB("judge", ":memory:")
    yield opened, judge
    judge.close()


def alike(one, other):
    if isinstance(one, float | Decimal | int) and isinstance(other, float | Decimal | int):
        return one == other or (math.isnan(one) and math.isnan(other))
    return one == other


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_has_one_value(both, text):
    engine, judge = both
    ((found,),), ((wanted,),) = engine.rows(f"SELECT {text}"), judge.rows(f"SELECT {text}")
    assert alike(found, wanted), (found, wanted)


NUMBERS = st.integers(-(10**7), 10**7)


@settings(deadline=None, max_examples=30)
@given(values=st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 4)), min_size=1, max_size=20))
def test_divided_and_rounded_numbers_agree(both, values):
    engine, judge = both
    rows = ", ".join(f"(CAST({a} AS DOUBLE), CAST({b} AS DOUBLE))" for a, b, _ in values)
    columns = ", ".join(f"ROUND(a / b, {digits}), ROUND(a / 1000, {digits})" for digits in range(5))
    select = f"SELECT {columns} FROM (VALUES {rows}) AS t(a, b)"
    found, wanted = engine.rows(select), judge.rows(select)
    assert all(alike(x, y) for one, other in zip(found, wanted, strict=True) for x, y in zip(one, other, strict=True))
