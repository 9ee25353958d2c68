"""Every kind of finding stands on the page of findings, with the exit code that it has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from headwater.events import FindingKind
from headwater.run.pipeline.report import UNFINISHED

PAGE = (Path(__file__).parents[2] / "docs/reference/findings.md").read_text()
ROWS = re.findall(r"^\| (`.+?) \| (\S+) \|", PAGE, flags=re.MULTILINE)


def test_the_page_lists_each_kind_once():
    named = [name for names, _ in ROWS for name in re.findall("`(.+?)`", names)]
    assert sorted(named) == sorted(get_args(FindingKind))


def test_the_page_says_which_findings_end_a_run_as_partial():
    partial = {name for names, code in ROWS if code == "**3**" for name in re.findall("`(.+?)`", names)}
    assert partial == UNFINISHED
