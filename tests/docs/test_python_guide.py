"""The code of the guide for Python runs, and prints what the guide shows; the notebook runs from top to bottom."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO

import nbformat
import pytest
from nbclient import NotebookClient

from tests.docs.pages import DOCS

_FENCE = re.compile(r"^```(python|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_code_of_the_guide_prints_what_it_shows(shop):
    names, printed = {}, ""
    for kind, text in _FENCE.findall((DOCS / "guides" / "python.md").read_text(encoding="utf-8")):
        if kind == "python":
            out = StringIO()
            with redirect_stdout(out):
                exec(compile(text, "python.md", "exec"), names)
            printed = out.getvalue()
        else:
            shown = [re.escape(line).replace(r"\.\.\.", ".*") for line in text.splitlines()]
            assert re.fullmatch("\n".join(shown), printed.rstrip("\n")), (text, printed)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_notebook_runs(shop):
    notebook = nbformat.read(DOCS / "examples" / "explore.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(shop.root)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output]
    assert any("text/html" in output["data"] and "<table>" in output["data"]["text/html"] for output in shown)


def test_the_notebook_is_stored_without_results():
    notebook = nbformat.read(DOCS / "examples" / "explore.ipynb", as_version=4)
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in notebook.cells)
