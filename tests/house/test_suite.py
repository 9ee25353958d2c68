"""The two parts of the suite: every test is in one of them, and what starts Spark is in the second."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

from _pytest.mark.expression import Expression

from tests import conftest
from tests.grid.engines import NAMES, OPENERS

ROOT = Path(__file__).parents[2]


def read_recipe(target):
    """The commands of a target of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)[1]


def compile_marks(target):
    """Which marks a target chooses."""
    return Expression.compile(re.search(r'-m "(.+)"', read_recipe(target))[1])


def read_share(part):
    """The share of its examples that a property draws in a part."""
    share = re.search(r"HEADWATER_SHARE=([\d.]+)", read_recipe(part))
    return float(share[1]) if share else 1.0


def test_each_test_runs_in_one_of_the_two_parts_and_a_property_with_more_examples_in_the_second():
    assert read_share("test") < read_share("test-all") < read_share("test-long") == 1
    for values in itertools.product((False, True), repeat=4):
        marks = dict(zip(("spark", "azure", "long", "drawn"), values, strict=True))
        first, second = (
            compile_marks(part).evaluate(lambda name, marks=marks, **_: marks[name]) for part in ("test", "test-all")
        )
        assert second if marks["drawn"] else first != second, marks


def test_a_property_draws_a_share_of_its_examples_and_at_least_one():
    drawn = [conftest.count_examples("duckdb", asked, 0.3) for asked in (300, 40, 4, 2, 1)]
    assert drawn == [90, 12, 2, 1, 1]
    assert conftest.count_examples("duckdb", 40, 1) == 40
    assert conftest.count_examples("spark", 40, 1) == conftest.BUDGET["spark"] < 40


def test_what_runs_for_every_change_is_both_parts():
    ran = re.findall(r"^make (\S+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert ran == ["test", "test-all"]


def test_what_starts_spark_is_marked_by_itself():
    """Of the tests of Spark, two have nothing to start; one of a grid is left without its share on Spark."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-m", "not spark"]
    places = [
        "tests/warehouse/spark/test_engine.py",
        "tests/grid/test_spark_dialect.py",
        "tests/warehouse/test_as_of.py",
    ]
    told = subprocess.run([*command, *places], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    left = [line for line in told.splitlines() if "::" in line]
    alone = {line.partition("::")[2] for line in left if "spark" in line.partition("::")[0]}
    assert alone == {"test_parquet_is_for_local_mode", "test_without_java_it_says_what_to_install"}
    engines = {name for name in NAMES for line in left if f"[{name}" in line}
    assert engines == {"duckdb", "postgres", "files"}


def test_nothing_but_its_fixture_starts_spark():
    assert set(OPENERS) == set(NAMES) - {"spark"}
