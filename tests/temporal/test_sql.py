from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from headwater.testing.golden import compare_golden
from headwater.warehouse.dialect.render import render
from headwater.warehouse.postgres.functions import DIALECT as POSTGRES
from headwater.warehouse.redshift.functions import DIALECT as REDSHIFT
from headwater.warehouse.spark.functions import DIALECT as SPARK
from tests.temporal.texts import TEXTS

GOLDEN = Path(__file__).parents[1] / "golden" / "temporal"

FUNCTIONS = {
    "ABS", "AND", "CASE", "CAST", "COALESCE", "COUNT", "FIRST_VALUE", "FLOOR", "IF", "LAG", "LEAD", "LENGTH", "MAX", "MD5",
    "OR", "REPLACE", "ROW_NUMBER", "STR_POSITION", "SUBSTRING", "UNIX_TO_TIME", "EPOCH_US", "EXISTS",
}  # fmt: skip
"""The functions that a text may call. Each engine has them, or `warehouse.dialect` translates them."""

REFUSED = (exp.Star, exp.Qualify, exp.Lambda, exp.Struct, exp.Array, exp.Bracket, exp.IgnoreNulls, exp.Distinct)
"""What no portable text may contain."""


@pytest.mark.golden
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_unchanged(name):
    compare_golden(GOLDEN / f"{name}.sql", TEXTS[name] + "\n")


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_uses_only_the_portable_subset(name):
    tree = sqlglot.parse_one(TEXTS[name], read="duckdb")
    called = {
        node.name.upper() if isinstance(node, exp.Anonymous) else node.sql_name() for node in tree.find_all(exp.Func)
    }
    assert called <= FUNCTIONS
    assert not [node.sql() for node in tree.find_all(*REFUSED)]
    for window in tree.find_all(exp.Window):
        framed = isinstance(window.this, (exp.FirstValue, exp.LastValue, exp.Count, exp.Max))
        assert bool(window.args.get("spec")) == framed, f"a frame is explicit where it matters: {window.sql()}"


@pytest.mark.parametrize("dialect", [POSTGRES, REDSHIFT, SPARK], ids=lambda one: one.name)
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_can_be_rendered_for_other_engines(name, dialect):
    rendered = render(TEXTS[name], dialect)
    assert "EPOCH_US" not in rendered
    assert "MAKE_TIMESTAMP(" not in rendered
    assert "'0x'" not in rendered
    sqlglot.parse_one(rendered, read=dialect.name)
