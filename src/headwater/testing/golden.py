"""Golden files: the expected output. `make golden` rewrites them, and the diff is reviewed."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "HEADWATER_GOLDEN"
"""An environment variable. If it is `rewrite`, every comparison rewrites its file."""


def compare_golden(path: Path, text: str) -> None:
    """Compare `text` with the golden file `path`, or rewrite the file; AssertionError if they differ."""
    if os.environ.get(VARIABLE) == "rewrite":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    assert path.is_file(), f"there is no golden file {path.name}: create it with `make golden`"
    expected = path.read_text(encoding="utf-8")
    assert text == expected, (
        f"{path.name} has changed; if the new version is correct, run `make golden` and review the diff"
    )
