"""Every finding that the code makes by name stands on the page of findings, with the exit code that it has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from headwater.run.pipeline.report import UNFINISHED

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/findings.md").read_text()
PURPOSES = ("changes", "snapshot", "sweep")


def names_in(tree):
    """What stands for a finding in calls, and the keys of the findings about clocks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "finding":
            yield from texts(node.value)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            target = node.targets[0]
            if isinstance(target.value, ast.Name) and target.value.id == "found":
                yield from texts(target.slice)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_find":
            yield from (text for one in node.args[1:2] for text in texts(one))


def texts(node):
    """The text that a literal gives; each of them where it holds the purpose of a batch."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[-1], ast.Constant):
        ending = node.values[-1].value
        if ending.startswith("_"):
            yield from (f"{purpose}{ending}" for purpose in PURPOSES)


def test_every_finding_is_on_the_page():
    files = [
        file for room in ("extract", "gold", "run", "silver") for file in (ROOT / "src/headwater" / room).rglob("*.py")
    ]
    trees = [ast.parse(file.read_text()) for file in [*files, ROOT / "src/headwater/ledger/records.py"]]
    made = {name for tree in trees for name in names_in(tree)}
    assert {"clock_went_back", "deletes_waiting", "count differs", "sweep_unproved", "read_again"} <= made
    assert sorted(name for name in made if f"`{name}`" not in PAGE) == []


def test_the_page_says_which_findings_end_a_run_as_partial():
    rows = re.findall(r"^\| (`.+?) \| (\S+) \|", PAGE, flags=re.MULTILINE)
    partial = {name for names, code in rows if code == "**3**" for name in re.findall("`(.+?)`", names)}
    assert partial == UNFINISHED
