from __future__ import annotations

import pytest

from headwater.testing.tables import find_mismatch, parse_table

PICTURE = """
    | key | colour | from    | to      |
    | --- | ------ | ------- | ------- |
    | A   | red    | 1       | $closed |
    | A   | ''     | $closed | NULL    |
"""


def test_cells_are_values():
    assert parse_table("| a | b | c | d |\n|---|---|---|---|\n| 7 | '' | NULL | ... |") == [
        {"a": 7, "b": "", "c": None}
    ]


def test_a_name_stands_for_one_value_in_any_order_of_rows():
    rows = [{"key": "A", "colour": "", "from": 5, "to": None}, {"key": "A", "colour": "red", "from": 1, "to": 5}]
    assert find_mismatch(PICTURE, rows) == ""
    rows[0]["from"] = 6
    assert "expected" in find_mismatch(PICTURE, rows)


def test_null_and_empty_are_different():
    assert find_mismatch("| a |\n|---|\n| NULL |", [{"a": ""}])
    assert not find_mismatch("| a |\n|---|\n| $_ |", [{"a": ""}])


def test_a_crooked_drawing_is_refused():
    with pytest.raises(ValueError, match="cells under"):
        parse_table("| a | b |\n|---|---|\n| 1 |")
