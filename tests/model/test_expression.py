"""The expression language: what it lets in, what it makes of it, and that rules classify as people read them."""

from __future__ import annotations

import duckdb
import pytest

from headwater.errors import DeclarationError
from headwater.model.entity import Rules
from headwater.model.expression import Scope, compile_expression, find_names

ICELANDIC = Rules.model_validate(
    {
        "rules": "agreement_class",
        "first_match": [
            {"contains": "yÞjónusta", "gives": {"class": "billable_service"}},
            {"contains": "Tímapottur:", "gives": {"class": "prepaid_hours"}},
            {"contains": ["Rekstrarþjónusta", "Alrekstur"], "gives": {"class": "operations"}},
        ],
        "otherwise": {"class": "other"},
    }
)
SCOPE = Scope(
    columns={"type.name": '"type_name"', "a": '"a"', "b": '"b"', "whole": '"a" + "b"', "bag": '"bag"'},
    settings={"caption": "Númer"},
    rules={"agreement_class": ICELANDIC},
)


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("type.name", '"type_name"'),
        ("a * 2", '"a" * 2'),
        ("whole * 2", '("a" + "b") * 2'),
        ("coalesce(a, b, 0)", 'COALESCE("a", "b", 0)'),
        ("a IS NOT NULL AND b IN (1, 2)", 'NOT "a" IS NULL AND "b" IN (1, 2)'),
        ("CASE WHEN a > 0 THEN 'x' ELSE 'y' END", "CASE WHEN \"a\" > 0 THEN 'x' ELSE 'y' END"),
        ("setting('caption')", "'Númer'"),
        ("setting('absent')", "NULL"),
    ],
)
def test_an_expression_becomes_sql(text: str, sql: str):
    assert compile_expression(text, SCOPE, where="f:1") == sql


@pytest.mark.parametrize(
    "text",
    ["random()", "now()", "SELECT 1", "(SELECT max(a) FROM t)", "sum(a)", "a; DROP TABLE t", "unheard(a)", "a OVER ()"],
)
def test_what_is_outside_of_the_language_is_refused(text: str):
    with pytest.raises(DeclarationError) as caught:
        compile_expression(text, SCOPE, where="models/x.yaml:3")
    assert caught.value.where == "models/x.yaml:3"


def test_a_wrong_column_is_refused_with_the_nearest_one():
    with pytest.raises(DeclarationError, match=r"no column `type\.nmae`") as caught:
        compile_expression("type.nmae", SCOPE, where="f:1")
    assert caught.value.hint == "did you mean `type.name`?"


def test_columns_are_told_as_written():
    assert find_names("coalesce(type.name, a) || a", where="f") == ("type.name", "a")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Tímapottur", "prepaid_hours"),
        ("TÍMAPOTTUR:", "prepaid_hours"),
        ("  tímapottur : ", "prepaid_hours"),
        ("SkýjaÞjónusta", "other"),
        ("TryggÞjónusta", "other"),
        ("Kerfisþjónusta yÞjónusta", "billable_service"),
        ("YÞJÓNUSTA", "billable_service"),
        ("REKSTRARÞJÓNUSTA", "operations"),
        ("Alrekstur og fleira", "operations"),
        ("Gull", "other"),
        (None, "other"),
    ],
)
def test_rules_fold_case_for_icelandic_letters(name: str | None, expected: str):
    sql = compile_expression("classify(type.name, 'agreement_class', 'class')", SCOPE, where="f:1")
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {sql} FROM (SELECT CAST(? AS VARCHAR) AS type_name)", [name]).fetchall()
    assert found == [(expected,)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("custom_field(bag, 'Númer')", "B-2"),
        ("custom_field(bag, setting('absent'))", "A-1"),
        ("custom_field(bag, 'Nei')", None),
    ],
)
def test_a_custom_field_is_found_by_caption_and_the_first_one_without(text: str, expected: str | None):
    sql = compile_expression(text, SCOPE, where="f:1")
    bag = "[{'id': 1, 'caption': 'Annað', 'value': 'A-1'}, {'id': 2, 'caption': 'Númer', 'value': 'B-2'}]"
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {sql} FROM (SELECT {bag} AS bag)").fetchall() == [(expected,)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from_epoch(1573755038)", "2019-11-14 18:10:38"),
        ("from_epoch(1573755038.5)", "2019-11-14 18:10:38.5"),
        ("from_epoch(-1)", "1969-12-31 23:59:59"),
        ("from_epoch_ms(1573755038314)", "2019-11-14 18:10:38.314"),
        ("from_epoch_ms(4102444800000)", "2100-01-01 00:00:00"),
        ("from_epoch_ms(-62135596800000)", "0001-01-01 00:00:00"),
        ("from_epoch_ms(NULL)", None),
        ("from_json_date('/Date(1573755038314+0000)/')", "2019-11-14 18:10:38.314"),
        ("from_json_date('/Date(1573755038314-0500)/')", "2019-11-14 18:10:38.314"),
        ("from_json_date('/Date(-1000)/')", "1969-12-31 23:59:59"),
        ("from_json_date('2019-11-14')", None),
    ],
)
def test_stamps_of_services_are_instants(text: str, expected: str | None):
    with duckdb.connect() as connection:
        sql = compile_expression(text, SCOPE, where="f:1")
        assert connection.execute(f"SELECT CAST({sql} AS VARCHAR)").fetchall() == [(expected,)]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("classify(a, 'agreement_klass', 'class')", "did you mean `agreement_class`?"),
        ("classify(a, 'agreement_class', 'clas')", "did you mean `class`?"),
        ("classify(a, b, 'class')", "e.g. 'agreement_class'"),
    ],
)
def test_unknown_rules_and_outputs_are_refused(text: str, hint: str):
    with pytest.raises(DeclarationError) as caught:
        compile_expression(text, SCOPE, where="f:1")
    assert caught.value.hint == hint
