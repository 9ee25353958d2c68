"""What the texts mean, tried on DuckDB."""

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


def put(duck, name, picture):
    """A relation of versions; `day` numbers stand for days of January 2026, 31 for ever."""
    rows = parse_table(picture)
    columns = list(rows[0])
    selects = " UNION ALL ".join(
        "SELECT " + ", ".join(f"{_sql(name, row[name])} AS {name}" for name in columns) for row in rows
    )
    duck.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {selects}")


def _sql(name, value):
    if name in {"valid_from", "valid_to", "at"}:
        return f"make_timestamp({value})" if value != "open" else "TIMESTAMP '9999-12-31'"
    return "NULL::VARCHAR" if value is None else f"'{value}'"


def rows(duck, select):
    found = duck.execute(f"SELECT * FROM ({select})")
    names = [column[0] for column in found.description]
    return [{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in found.fetchall()]


def _plain(value):
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


def test_versions_that_agree_in_the_columns_looked_at_become_one(duck):
    put(duck, "versions", VERSIONS)
    select = coalesce_sql("versions", key="k", columns=("a",), firsts=("batch_id",))
    picture = """
        | k | a   | batch_id | valid_from | valid_to |
        | - | --- | -------- | ---------- | -------- |
        | x | one | b1       | 1          | 5        |
        | x | two | b3       | 5          | 7        |
        | x | two | b4       | 9          | open     |
        | y | one | b5       | 2          | 4        |
    """
    assert find_mismatch(picture, rows(duck, select)) == ""


def test_an_instant_meets_the_valid_version_or_the_last_before_or_the_first(duck):
    put(duck, "versions", VERSIONS)
    put(duck, "facts", """
        | k | at |
        | - | -- |
        | x | 0  |
        | x | 4  |
        | x | 8  |
        | x | 99 |
        | z | 1  |
    """)  # fmt: skip
    picture = """
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
    found = rows(duck, select)
    assert find_mismatch(picture, found) == "", find_mismatch(picture, found)
    assert len(rows(duck, coverage_sql("versions", key="k", columns=("a",)))) == 5


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
def test_the_canonical_text_of_a_value_is_known_by_heart(duck, value, dtype, text):
    assert duck.execute(f"SELECT {canonical_sql('v', dtype)} FROM (SELECT {value} AS v)").fetchone() == (text,)


def test_infinite_and_undefined_numbers_have_a_text_too(duck):
    for value in (math.inf, -math.inf, math.nan):
        assert duck.execute(f"SELECT {canonical_sql('v', 'double')} FROM (SELECT ?::DOUBLE AS v)", [value]).fetchone()[
            0
        ]


def test_the_order_of_columns_does_not_matter_to_a_hash_but_their_being_known_does(duck):
    def hashed(columns):
        taken = "SELECT 'U' AS operation, NULL::VARCHAR AS a, 'x' AS b"
        return duck.execute(f"SELECT {event_hash_sql('operation', columns)} FROM ({taken})").fetchone()[0]

    assert hashed({"a": "text", "b": "text"}) == hashed({"b": "text", "a": "text"})
    assert hashed({"a": "text", "b": "text"}) != hashed({"b": "text"})


def test_a_column_that_was_renamed_makes_no_other_event(duck):
    before = event_hash_sql("operation", {"b": "text", "c": "text"})
    after = event_hash_sql("operation", {"a": "text", "b": "text"}, {"a": "c"})
    hashed = duck.execute(f"SELECT {before}, {after} FROM (SELECT 'U' AS operation, 'x' AS a, 'y' AS b, 'x' AS c)")
    one, other = hashed.fetchone()
    assert one == other


@settings(deadline=None, max_examples=80)
@given(one=st.tuples(TEXTS, TEXTS), other=st.tuples(TEXTS, TEXTS))
def test_composite_keys_are_equal_only_when_all_their_parts_are(duck, one, other):
    select = f"SELECT {entity_key_sql('psa', ('?::VARCHAR', '?::VARCHAR'))}"
    same = duck.execute(select, list(one)).fetchone() == duck.execute(select, list(other)).fetchone()
    assert same == (one == other)


def test_a_key_hash_has_sixty_bits_and_stays_what_it_is(duck):
    assert duck.execute("SELECT " + hash60_sql("'a'")).fetchone() == (0x0CC175B9C0F1B6A,)
