"""The page of engines: made from what they say of themselves, and from the marks of the corpus."""

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
"""Engines that never met a server of their own: the corpus does not run on them."""
FACTS = {
    "transactions": (
        {"duckdb": True, "postgres": True, "spark": True, "files": True, "redshift": True},
        "Several statements commit together or not at all, DDL included.",
    ),
    "concurrent reads": (
        {"duckdb": False, "postgres": True, "spark": True, "files": True, "redshift": True},
        "Others may look while a run writes; without it one process has the tables for itself.",
    ),
    "constraints": (
        {"duckdb": False, "postgres": True, "spark": False, "files": False, "redshift": False},
        "Primary and foreign keys are declared, and no two versions of a thing can overlap.",
    ),
    "export": (
        {"duckdb": True, "postgres": True, "spark": True, "files": True, "redshift": False},
        "It writes its tables to files, see `headwater.warehouse.base.CanExport`.",
    ),
    "identifier length": (
        {"duckdb": 63, "postgres": 63, "spark": 128, "files": 63, "redshift": 127},
        "The longest name, in bytes.",
    ),
}
"""What a reader should know of each engine, and no code asks."""
MARKS = {
    "notimpl": "we could, and have not yet",
    "notyet": "the engine must learn it first",
    "never": "it makes no sense there",
}

HEAD = """\
<!-- Made by `make golden` from the sources; a change here is lost. -->
# Engines

The same declarations give the same rows on every engine here: one corpus of tests runs on each of them (`tests/silver`,
`tests/gold` and `tests/grid`; every test that takes `engine`). What a value means is DuckDB's to say: types of expressions,
division, rounding, differences of dates and the folding of letters are the same wherever they are worked out.

**Redshift never met a real cluster.** The corpus does not run there: its statements are kept, held against what its
documentation excludes, and run on Postgres in its place (docs/guides/redshift.md).
"""


def engines_page():
    """The whole page."""
    return "\n".join([HEAD, "## Facts", "", *_facts(), "", "## Marks", "", *_marks()]) + "\n"


def _facts():
    told, kinds = _told(), KINDS | UNTRIED
    yield f"| fact | {' | '.join(kinds)} | what it means |"
    yield f"| --- | {' | '.join('---' for _ in kinds)} | --- |"
    for name, (facts, meaning) in FACTS.items():
        yield f"| {name} | {' | '.join(_shown(facts[kind]) for kind in kinds)} | {meaning} |"
    for field in fields(Capabilities):
        values = (_shown(getattr(kind.capabilities, field.name)) for kind in kinds.values())
        yield f"| `{field.name}` | {' | '.join(values)} | {told[field.name]} |"


def _shown(value):
    if isinstance(value, Dialect):
        return value.name
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _told():
    """What stands below each field of the facts."""
    body = ast.parse(inspect.getsource(Capabilities)).body[0].body
    return {
        one.target.id: inspect.cleandoc(text.value.value).replace("\n", " ")
        for one, text in itertools.pairwise(body)
        if isinstance(one, ast.AnnAssign) and isinstance(text, ast.Expr)
    }


def _marks():
    found = sorted(_found())
    yield "A test that an engine cannot follow is marked, with a reason; a mark that no longer holds fails."
    yield ""
    if not found:
        yield "No test is marked: what the corpus asks holds on every engine of the table."
        return
    yield "| engine | mark | test | reason |"
    yield "| --- | --- | --- | --- |"
    for engine, mark, test, reason in found:
        yield f"| {engine} | {mark}: {MARKS[mark]} | {test} | {reason} |"


def _found():
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for call in getattr(node, "decorator_list", ()):
                name = re.fullmatch(r"pytest\.mark\.(\w+)", ast.unparse(getattr(call, "func", call)))
                if name and name[1] in MARKS:
                    reason = next(word.value.value for word in call.keywords if word.arg == "reason")
                    for engine in call.args:
                        yield engine.value, name[1], node.name.removeprefix("test_").replace("_", " "), reason
