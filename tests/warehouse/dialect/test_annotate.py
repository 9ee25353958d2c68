"""What is known of a statement's columns: told from the relations that it names, inside out."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from headwater.warehouse.dialect.annotate import annotate_kinds
from headwater.warehouse.dialect.render import render
from headwater.warehouse.dialect.types import infer_kind
from headwater.warehouse.spark.functions import DIALECT

COLUMNS = (
    (
        "silver.work",
        (("id", "BIGINT"), ("hours", "DOUBLE"), ("rate", "DECIMAL(18,4)"), ("note", "VARCHAR"), ("at", "TIMESTAMP")),
    ),
    ("gold.dim_member", (("id", "VARCHAR"), ("cost", "DECIMAL(18,4)"))),
    ("staged", (("id", "BIGINT"), ("ok", "BOOLEAN"))),
)


def list_kinds(select):
    """The kinds of the columns that a SELECT gives, in order."""
    tree = sqlglot.parse_one(select, read="duckdb")
    annotate_kinds(tree, COLUMNS)
    while not isinstance(tree, exp.Select):
        tree = tree.left
    return [infer_kind(one.unalias()) for one in tree.expressions]


@pytest.mark.parametrize(
    ("select", "wanted"),
    [
        ("SELECT id, hours, rate, note, \"at\" FROM silver.work", ["whole", "double", "decimal", "text", "instant"]),
        ("SELECT w.id, m.id, cost FROM silver.work AS w JOIN gold.dim_member AS m ON TRUE", ["whole", "text", "decimal"]),
        ("SELECT id FROM silver.work JOIN gold.dim_member ON TRUE", ["unknown"]),
        ("SELECT hours * rate, rate * 2, COALESCE(rate, 0), id + 1 FROM silver.work", ["double", "decimal", "decimal", "whole"]),
        ("SELECT x FROM (SELECT hours AS x FROM silver.work) AS t", ["double"]),
        ("SELECT t.note FROM (SELECT *, 1 AS n FROM silver.work) AS t", ["text"]),
        ("WITH a AS (SELECT id AS k FROM staged), b AS (SELECT k FROM a) SELECT k FROM b", ["whole"]),
        ("SELECT k FROM (SELECT id AS k FROM staged UNION ALL SELECT id FROM gold.dim_member) AS t", ["unknown"]),
        ("SELECT a FROM (SELECT id FROM staged) AS t(a)", ["whole"]),
        ("SELECT CASE WHEN ok THEN id ELSE 1.5 END, NOT ok, missing FROM staged", ["decimal", "boolean", "unknown"]),
        ("SELECT id FROM elsewhere", ["unknown"]),
    ],
)  # fmt: skip
def test_a_column_is_what_its_relation_says(select, wanted):
    assert list_kinds(select) == wanted


def test_a_subquery_knows_what_stands_around_it():
    tree = sqlglot.parse_one(
        "SELECT 1 FROM silver.work AS w WHERE EXISTS (SELECT 1 FROM staged WHERE staged.id = w.hours)", read="duckdb"
    )
    annotate_kinds(tree, COLUMNS)
    kinds = {column.sql(): infer_kind(column) for column in tree.find_all(exp.Column)}
    assert kinds == {"staged.id": "whole", "w.hours": "double"}


def test_a_variable_of_a_list_is_no_column():
    tree = sqlglot.parse_one("SELECT [id FOR id IN [note]] FROM silver.work", read="duckdb")
    annotate_kinds(tree, COLUMNS)
    assert {infer_kind(column) for column in tree.find_all(exp.Column) if column.name == "id"} == {"unknown"}


def test_what_is_known_is_said_shortly():
    select = "SELECT CAST(hours * rate AS DECIMAL(18,4)), CAST(id AS VARCHAR) FROM silver.work"
    short, long = render(select, DIALECT, (), COLUMNS), render(select, DIALECT)
    assert "TYPEOF" not in short
    assert len(short) < len(long) / 5
