"""The project of the demo, created again in its own folder on each run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from headwater.cli.demo.sandbox import COMPANY
from headwater.errors import DeclarationError
from headwater.run import app

TENANT = "acme"
"""The tenant of a new project."""
HISTORY_START = "2025-09-01"
"""The day on which the simulated data begins."""

_MARKER = ".headwater-demo"
_MARKER_TEXT = "`headwater demo` created this folder and overwrites it when it runs here again.\n"
_PROJECT_FILES = ("headwater.yaml", ".gitignore", ".env.example")
_STATE = ".headwater"
_POLICIES = """
# The contract declares `invoiceFlag` as a boolean, but the service sent text. No table uses it, so accept any text.
policies:
  connectwise.time_entries: {fields: {invoiceFlag: text}}
"""


def clear_folder(folder: Path) -> None:
    """Remove an earlier demo from `folder`, and nothing else. Raises DeclarationError if the folder is not a demo's."""
    if not folder.exists():
        return
    if not folder.is_dir() or (not (folder / _MARKER).is_file() and any(folder.iterdir())):
        raise DeclarationError(
            "The demo needs its own folder, and this folder contains other files. Nothing was changed.",
            where=str(folder),
            details=_list_files(folder),
            hint="pass a folder that does not exist yet: `headwater demo my-demo`",
        )
    for name in _PROJECT_FILES:
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / _STATE, ignore_errors=True)


def write_project(folder: Path, url: str) -> None:
    """Create a project in `folder` as `headwater init` does, and fill in the connection."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).write_text(_MARKER_TEXT, encoding="utf-8")
    app.init_project(folder, blueprint="msp", connector="connectwise")
    path = folder / "headwater.yaml"
    path.write_text(_fill_in_connection(path.read_text(encoding="utf-8"), url), encoding="utf-8")


def accept_any_text(folder: Path) -> None:
    """Add a policy that accepts any text in `invoiceFlag` of time entries."""
    with (folder / "headwater.yaml").open("a", encoding="utf-8") as file:
        file.write(_POLICIES)


def _fill_in_connection(text: str, url: str) -> str:
    text = re.sub(r"( +base_url:).*", rf'\1 "{url}"', text)
    text = re.sub(r"( +company:).*", rf'\1 "{COMPANY}"', text)
    options = f"        since: {HISTORY_START!r}\n        limits: {{requests_per_minute: 100000}}\n"
    return re.sub(r"( +settings:)", rf"{options}\1", text, count=1)


def _list_files(folder: Path) -> str:
    return "a file" if folder.is_file() else ", ".join(sorted(path.name for path in folder.iterdir())[:3])
