"""The results of the SQL texts on DuckDB."""

from __future__ import annotations

import math

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.temporal.asof import coverage_sql, covers_sql
from headwater.temporal.coalesce import coalesce_sql
from headwater.temporal.event_hash import canonical_sql, event_hash_sql
from headwater.temporal.keys import entity_key_sql, hash60_sql
from headwater.testing.tables import find_mismatch, parse_table


@pytest.fixture(scope="module")
def duck():
    with duckdb.connect() as connection:
        yield connection


def create_relation(duck, name, table):
    """Create a relation from a table. Instants are microseconds since 1970, and `open` is the open end."""
    rows = parse_table(table)
    columns = list(rows[0])
    selects = " UNION ALL ".join(
        "SELECT " + ", ".join(f"{_to_sql(name, row[name])} AS {name}" for name in columns) for row in rows
    )
    duck.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {selects}")


def _to_sql(name, value):
    if name in {"valid_from", "valid_to", "at"}:
        return f"make_timestamp({value})" if value != "open" else "TIMESTAMP '9999-12-31'"
    return "NULL::VARCHAR" if value is None else f"'{value}'"


def select_rows(duck, select):
    result = duck.execute(f"SELECT * FROM ({select})")
    names = [column[0] for column in result.description]
    return [{name: _to_table_value(value) for name, value in zip(names, row, strict=True)} for row in result.fetchall()]


def _to_table_value(value):
    if hasattr(value, "year"):
        return "open" if value.year == 9999 else value.microsecond
    return value


VERSIONS = """
    | k | a   | b | batch_id | valid_from | valid_to |
    | - | --- | - | -------- | ---------- | -------- |
    | x | one | p | b1       | 1          | 3        |
    | x | one | q | b2       | 3          | 5        |
    | x | two | q | b3       | 5          | 7        |
    | x | two | q | b4       | 9          | open     |
    | y | one | p | b5       | 2          | 4        |
"""


def test_versions_that_are_equal_in_the_given_columns_become_one(duck):
    create_relation(duck, "versions", VERSIONS)
    select = coalesce_sql("versions", key="k", columns=("a",), firsts=("batch_id",))
    table = """
        | k | a   | batch_id | valid_from | valid_to |
        | - | --- | -------- | ---------- | -------- |
        | x | one | b1       | 1          | 5        |
        | x | two | b3       | 5          | 7        |
        | x | two | b4       | 9          | open     |
        | y | one | b5       | 2          | 4        |
    """
    assert find_mismatch(table, select_rows(duck, select)) == ""


def test_an_instant_has_the_valid_version_or_the_last_before_or_the_first(duck):
    create_relation(duck, "versions", VERSIONS)
    create_relation(duck, "facts", """
        | k | at |
        | - | -- |
        | x | 0  |
        | x | 4  |
        | x | 8  |
        | x | 99 |
        | z | 1  |
    """)  # fmt: skip
    table = """
        | k | at | batch_id |
        | - | -- | -------- |
        | x | 0  | b1       |
        | x | 4  | b2       |
        | x | 8  | b3       |
        | x | 99 | b4       |
    """
    spans = coverage_sql("versions", key="k", columns=("batch_id",))
    select = (
        f"SELECT p.k, p.at, v.batch_id FROM facts AS p JOIN ({spans}) AS v ON v.k = p.k AND {covers_sql('v', 'p.at')}"
    )
    result = select_rows(duck, select)
    assert find_mismatch(table, result) == "", find_mismatch(table, result)
    assert len(select_rows(duck, coverage_sql("versions", key="k", columns=("a",)))) == 5


DTYPES = {"text": "VARCHAR", "double": "DOUBLE", "boolean": "BOOLEAN", "bigint": "BIGINT"}
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=6)
VALUES = {
    "text": st.none() | TEXTS,
    "double": st.none() | st.sampled_from([0.0, 0.1, -0.1, 1.5, 1e-9, 123456789.125, 1e15, 1e22, -7.25, 2.0**53]),
    "boolean": st.none() | st.booleans(),
    "bigint": st.none() | st.integers(-(2**63), 2**63 - 1),
}


@settings(deadline=None, max_examples=80)
@given(data=st.data())
def test_canonical_texts_are_equal_exactly_when_values_are(duck, data):
    dtype = data.draw(st.sampled_from(sorted(VALUES)))
    left, right = data.draw(VALUES[dtype]), data.draw(VALUES[dtype])
    cast = f"CAST(? AS {DTYPES[dtype]})"
    select = f"SELECT {canonical_sql('a', dtype)}, {canonical_sql('b', dtype)} FROM (SELECT {cast} AS a, {cast} AS b)"
    one, other = duck.execute(select, [left, right]).fetchone()
    assert (one == other) == (left == right)
    assert (one is None) == (left is None)


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        ("0.5::DOUBLE", "double", "0.4503599627370496"),
        ("-2.0::DOUBLE", "double", "-2.0"),
        ("1.50::DECIMAL(18,4)", "decimal(18,4)", "1.5000"),
        ("TIMESTAMP '1970-01-01 00:00:00.000002'", "timestamp", "2"),
        ("DATE '2026-03-01'", "date", "2026-03-01"),
        ("'añ'", "text", "2:añ"),
        ("FALSE", "boolean", "f"),
    ],
)
def test_the_canonical_text_of_a_value_is_stable(duck, value, dtype, text):
    assert duck.execute(f"SELECT {canonical_sql('v', dtype)} FROM (SELECT {value} AS v)").fetchone() == (text,)


def test_infinity_and_nan_have_a_text(duck):
    for value in (math.inf, -math.inf, math.nan):
        assert duck.execute(f"SELECT {canonical_sql('v', 'double')} FROM (SELECT ?::DOUBLE AS v)", [value]).fetchone()[
            0
        ]


def test_a_hash_depends_on_the_known_columns_but_not_on_their_order(duck):
    def hash_event(columns):
        select = "SELECT 'U' AS operation, NULL::VARCHAR AS a, 'x' AS b"
        return duck.execute(f"SELECT {event_hash_sql('operation', columns)} FROM ({select})").fetchone()[0]

    assert hash_event({"a": "text", "b": "text"}) == hash_event({"b": "text", "a": "text"})
    assert hash_event({"a": "text", "b": "text"}) != hash_event({"b": "text"})


def test_a_renamed_column_does_not_change_an_event(duck):
    before = event_hash_sql("operation", {"b": "text", "c": "text"})
    after = event_hash_sql("operation", {"a": "text", "b": "text"}, {"a": "c"})
    hashes = duck.execute(f"SELECT {before}, {after} FROM (SELECT 'U' AS operation, 'x' AS a, 'y' AS b, 'x' AS c)")
    one, other = hashes.fetchone()
    assert one == other


@settings(deadline=None, max_examples=80)
@given(one=st.tuples(TEXTS, TEXTS), other=st.tuples(TEXTS, TEXTS))
def test_composite_keys_are_equal_only_if_all_parts_are(duck, one, other):
    select = f"SELECT {entity_key_sql('psa', ('?::VARCHAR', '?::VARCHAR'))}"
    same = duck.execute(select, list(one)).fetchone() == duck.execute(select, list(other)).fetchone()
    assert same == (one == other)


def test_a_key_hash_has_sixty_bits_and_is_stable(duck):
    assert duck.execute("SELECT " + hash60_sql("'a'")).fetchone() == (0x0CC175B9C0F1B6A,)
