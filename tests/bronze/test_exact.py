"""Exact numbers and canonical values, on both paths to bronze."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.bronze.exact import find_long_numbers, format_number, parse, to_canonical_json
from headwater.bronze.jsonl import Block
from headwater.bronze.quarantine import retry_records
from headwater.model.field import build_contract
from tests.bronze.bench import NOW, Bench

FIELDS = {
    "id": "bigint", "wide": "decimal(38,10)", "money": "decimal(18,4)", "whole": "decimal(20,0)", "big": "bigint",
    "double": "double", "text": "text", "any": "json", "company.price": "decimal(18,4)",
}  # fmt: skip


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path, build_contract("Thing", FIELDS))


def land_both_ways(bench, field, value):
    """The value in bronze, or the rule: alone in its batch, and beside a record that makes the batch take the slow path."""
    values = []
    for more in ([], [b'{"id":2,"money":"x"}']):
        result = bench.land([b'{"id":1,"%s":%s}' % (field.encode(), value.encode()), *more])
        if result.kept == 0:
            values.append(result.refused[0].reasons[0]["rule"])
        else:
            values.append(bench.read_rows(f'"{field}"')[0][0])
    assert values[0] == values[1]
    return values[0]


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("wide", "1884518522.1684267241", Decimal("1884518522.1684267241")),
        ("wide", "1234567890123456.1234567891", Decimal("1234567890123456.1234567891")),
        ("wide", '"1234567890123456789012345678.1234567891"', Decimal("1234567890123456789012345678.1234567891")),
        ("wide", "1234567890123456789012345678.1234567891", Decimal("1234567890123456789012345678.1234567891")),
        ("wide", "1.5e-9", Decimal("0.0000000015")),
        ("wide", "0.1000000000000000000000", Decimal("0.1")),
        ("money", "90071992547409.93", Decimal("90071992547409.93")),
        ("money", "99999999999999.9999", Decimal("99999999999999.9999")),
        ("money", "-0.0", Decimal(0)),
        ("money", "1e2", Decimal(100)),
        ("money", "12.30", Decimal("12.3")),
        ("money", '"12.30"', Decimal("12.3")),
        ("money", '"0012.50"', Decimal("12.5")),
        ("money", '"1e2"', Decimal(100)),
        ("money", "0e400", Decimal(0)),
        ("whole", "12345678901234567890", Decimal(12345678901234567890)),
        ("whole", "18446744073709551617", Decimal(18446744073709551617)),
        ("big", "9007199254740993.0", 9007199254740993),
        ("big", "9007199254740993", 9007199254740993),
        ("big", "90071992547409930e-1", 9007199254740993),
        ("big", '"9007199254740993.0"', 9007199254740993),
        ("big", "1e2", 100),
        ("big", "-9223372036854775808", -(2**63)),
        ("double", "-0.0", 0.0),
        ("double", "0.30000000000000004", 0.30000000000000004),
        ("double", "1884518522.1684267241", 1884518522.1684267241),
        ("text", "1884518522.1684267241", "1884518522.1684267241"),
        ("text", "12345678901234567890123", "12345678901234567890123"),
        ("text", "1.50", "1.5"),
        ("text", "1e2", "100"),
        ("text", '"1.50"', "1.50"),
        ("any", "1884518522.1684267241", "1884518522.1684267241"),
        ("any", '{"b":9007199254740993.5,"a":[1.0,1e0]}', '{"a":[1,1],"b":9007199254740993.5}'),
        ("any", "123456789012345678901234567890", "123456789012345678901234567890"),
        ("any", "1e400", "1e+400"),
        ("any", "-0.0", "0"),
        ("any", "-0", "0"),
        ("any", '"A-17"', '"A-17"'),
        ("any", '"1.0"', '"1.0"'),
        ("any", "[]", "[]"),
        ("any", "null", None),
        ("any", '{"b":{"z":"\\u00e9","a":null},"a":true}', '{"a":true,"b":{"a":null,"z":"é"}}'),
    ],
)  # fmt: skip
def test_a_value_keeps_all_its_digits(bench, field, value, kept):
    value_kept = land_both_ways(bench, field, value)
    assert value_kept == kept
    assert str(value_kept).lstrip("-") == str(value_kept) or value_kept != 0


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("money", "1e-5", "more than 4 digits after the point"),
        ("money", "0.00001", "more than 4 digits after the point"),
        ("money", '"1.00005"', "more than 4 digits after the point"),
        ("money", "100000000000000", "out of range"),
        ("money", "1e400", "out of range"),
        ("money", "1e999999999", "out of range"),
        ("money", '"NaN"', "finite number"),
        ("money", '"Infinity"', "finite number"),
        ("money", "NaN", "NaN is not JSON"),
        ("money", "0012", "a record must be JSON"),
        ("whole", "0.5", "more than 0 digits after the point"),
        ("big", "9223372036854775808", "out of range"),
        ("big", "9223372036854775808.0", "out of range"),
        ("big", "1e999999999", "out of range"),
        ("big", "9007199254740993.5", "fractional part"),
        ("double", "1e400", "finite number"),
        ("any", '{"a":1,"a":2}', "twice"),
        ("any", "[" * 101 + "]" * 101, "deeper than 100"),
    ],
)  # fmt: skip
def test_a_value_that_a_type_cannot_hold_is_refused_with_a_reason(bench, field, value, rule):
    assert rule in land_both_ways(bench, field, value)


def test_a_decimal_inside_an_object_is_exact_too(bench):
    result = bench.land([b'{"id":1,"company":{"price":90071992547409.93}}', b'{"id":2,"company":{"price":1e-5}}'])
    assert [row.line for row in result.refused] == [2]
    assert bench.read_rows("company_price") == [(Decimal("90071992547409.93"),)]
    assert (
        retry_records(bench.batch, result.refused, bench.resource, bench.contract, bench.lake, now=NOW).readmitted == ()
    )


_NUMBERS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=12), st.integers(-(10**25), 10**25).map(Decimal),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda one: not 0 < abs(one) < 1e-307)
    .map(lambda one: Decimal(repr(one))),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(_NUMBERS)
def test_the_text_of_a_number_depends_only_on_its_value(number):
    text = format_number(number)
    assert Decimal(text) == number
    assert format_number(parse(f"{number:f}" if abs(number.adjusted()) < 50 else str(number))) == text
    assert to_canonical_json(parse(text)) == text


@settings(max_examples=300, deadline=None)
@given(_NUMBERS, st.integers(0, 40))
def test_every_number_that_a_double_changes_is_found(number, before):
    line = b'{"%s":%s}' % (b"x" * before, str(number).encode())
    parsed = parse(line.decode())["x" * before]
    try:
        changed = isinstance(parsed, Decimal) and Decimal(repr(float(parsed))) != parsed
    except OverflowError:
        changed = True
    missed = changed and list(find_long_numbers(Block(first=3, body=b"{}\n" + line + b"\n", count=2))) != [4]
    assert not missed


@pytest.mark.parametrize(
    "before", ["[5,", "[5, ", "[123,", "[1,2,3,4,5,6,", '["1234-1234-1234-1234-1234",', "[1234.5678, "]
)
@pytest.mark.parametrize("number", ["1884518522.1684267241", "1234567890123456789", "-1234567890.1234567891e-5"])
def test_a_long_number_is_found_among_others(before, number):
    for blanks in range(8):
        line = f'{{"a":{" " * blanks}{before}{number}]}}\n'.encode()
        assert list(find_long_numbers(Block(first=1, body=line, count=1))) == [1], blanks


def test_text_that_looks_like_numbers_does_not_need_the_slow_path():
    lines = [
        b'{"a":"12345678901234567.5","b":83.33333333333333,"c":1234567890123456}', b'{"d":"46e4099030f97058-0000-4000-800"}',
        b'{"e":"2026-01-02T03:04:05.123456789012345Z"}', b'{"f":"1e-400"}',
    ]  # fmt: skip
    assert list(find_long_numbers(Block(first=1, body=b"\n".join(lines) + b"\n", count=4))) == []
