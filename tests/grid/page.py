"""Builds docs/reference/engines.md from the capabilities of the engines and from the marks of the tests."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
from dataclasses import fields
from pathlib import Path

from headwater.warehouse.base import Capabilities
from headwater.warehouse.dialect.dialect import Dialect
from headwater.warehouse.duckdb.engine import DuckDB
from headwater.warehouse.files.engine import Files
from headwater.warehouse.postgres.engine import Postgres
from headwater.warehouse.redshift.engine import Redshift
from headwater.warehouse.spark.engine import Spark

TESTS = Path(__file__).parents[1]
KINDS = {"duckdb": DuckDB, "postgres": Postgres, "spark": Spark, "files": Files}
UNTRIED = {"redshift": Redshift}
"""Engines that are not tested on a real server: the grid does not run on them."""
FACTS = {
    "transactions": (
        {"duckdb": True, "postgres": True, "spark": True, "files": True, "redshift": True},
        "Several statements, including DDL, commit together or not at all.",
    ),
    "concurrent reads": (
        {"duckdb": False, "postgres": True, "spark": True, "files": True, "redshift": True},
        "Other processes can read during a run. Without it, a run needs exclusive access to the tables.",
    ),
    "constraints": (
        {"duckdb": False, "postgres": True, "spark": False, "files": False, "redshift": False},
        "Primary and foreign keys are declared, and versions of a key cannot overlap.",
    ),
    "export": (
        {"duckdb": True, "postgres": True, "spark": True, "files": True, "redshift": False},
        "It writes its tables to files, see `headwater.warehouse.base.CanExport`.",
    ),
    "identifier length": (
        {"duckdb": 63, "postgres": 63, "spark": 128, "files": 63, "redshift": 127},
        "The maximum length of a name, in bytes.",
    ),
}
"""Facts about each engine that readers need and no code uses."""
MARKS = {
    "notimpl": "not implemented yet",
    "notyet": "the engine does not support it yet",
    "never": "not applicable",
}

HEAD = """\
<!-- Made by `make golden` from the sources; a change here is lost. -->
# Engines

The same declarations give the same rows on every engine on this page. The same tests run on each of them: every test in
`tests/silver`, `tests/gold` and `tests/grid` that has the fixture `engine`. DuckDB defines the values: types of
expressions, division, rounding, date differences and case folding are the same on every engine.

**Redshift has not been tested on a real cluster.** These tests do not run there. Instead, golden files contain its
statements, which are checked against the features that its documentation excludes and run on Postgres (see [Use
Redshift](../guides/redshift.md)).
"""


def build_engines_page():
    """Build the whole page."""
    return "\n".join([HEAD, "## Facts", "", *_facts(), "", "## Marks", "", *_marks()]) + "\n"


def _facts():
    docs, kinds = _read_field_docs(), KINDS | UNTRIED
    yield f"| fact | {' | '.join(kinds)} | what it means |"
    yield f"| --- | {' | '.join('---' for _ in kinds)} | --- |"
    for name, (facts, meaning) in FACTS.items():
        yield f"| {name} | {' | '.join(_format_value(facts[kind]) for kind in kinds)} | {meaning} |"
    for field in fields(Capabilities):
        values = (_format_value(getattr(kind.capabilities, field.name)) for kind in kinds.values())
        yield f"| `{field.name}` | {' | '.join(values)} | {docs[field.name]} |"


def _format_value(value):
    if isinstance(value, Dialect):
        return value.name
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _read_field_docs():
    """Return the docstring of each field of `Capabilities`."""
    body = ast.parse(inspect.getsource(Capabilities)).body[0].body
    return {
        one.target.id: inspect.cleandoc(text.value.value).replace("\n", " ")
        for one, text in itertools.pairwise(body)
        if isinstance(one, ast.AnnAssign) and isinstance(text, ast.Expr)
    }


def _marks():
    found = sorted(_list_marks())
    yield "If a test cannot pass on an engine, it has a mark with a reason. A mark that no longer applies fails."
    yield ""
    if not found:
        yield "No test has a mark. All tests pass on every engine in the table except Redshift, on which they do not run."
        return
    yield "| engine | mark | test | reason |"
    yield "| --- | --- | --- | --- |"
    for engine, mark, test, reason in found:
        yield f"| {engine} | {mark}: {MARKS[mark]} | {test} | {reason} |"


def _list_marks():
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for call in getattr(node, "decorator_list", ()):
                name = re.fullmatch(r"pytest\.mark\.(\w+)", ast.unparse(getattr(call, "func", call)))
                if name and name[1] in MARKS:
                    reason = next(word.value.value for word in call.keywords if word.arg == "reason")
                    for engine in call.args:
                        yield engine.value, name[1], node.name.removeprefix("test_").replace("_", " "), reason
