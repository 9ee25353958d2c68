"""The demo's project: written into a folder of its own, and afresh each time."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from headwater.cli.demo.sandbox import COMPANY
from headwater.errors import DeclarationError
from headwater.run import app

TENANT = "acme"
"""The tenant of a new project."""
FOUNDED = "2025-09-01"
"""The day on which the simulated company begins."""

_MARK = ".headwater-demo"
_MARKED = "`headwater demo` made this folder, and makes it anew when it runs here again.\n"
_OWN = ("headwater.yaml", ".gitignore", ".env.example")
_STATE = ".headwater"
_RELAXED = """
# `invoiceFlag` came in words where the contract says true or false. Nobody here uses it: any text will do.
policies:
  connectwise.time_entries: {fields: {invoiceFlag: text}}
"""


def clear(folder: Path) -> None:
    """Make room for a demo in `folder`. Only what an earlier demo made is removed; DeclarationError if it is no demo's."""
    if not folder.exists():
        return
    if not folder.is_dir() or (not (folder / _MARK).is_file() and any(folder.iterdir())):
        raise DeclarationError(
            "The demo needs its own folder, and this folder contains other files. Nothing was changed.",
            where=str(folder),
            details=_seen(folder),
            hint="pass a folder that does not exist yet: `headwater demo my-demo`",
        )
    for name in _OWN:
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / _STATE, ignore_errors=True)


def write(folder: Path, url: str) -> None:
    """A new project in `folder`, as `headwater init` writes it, with the connection filled in."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text(_MARKED, encoding="utf-8")
    app.init_project(folder, blueprint="msp", connector="connectwise")
    path = folder / "headwater.yaml"
    path.write_text(_filled_in(path.read_text(encoding="utf-8"), url), encoding="utf-8")


def relax(folder: Path) -> None:
    """Let the project take any text where the contract of time entries says true or false."""
    with (folder / "headwater.yaml").open("a", encoding="utf-8") as file:
        file.write(_RELAXED)


def _filled_in(text: str, url: str) -> str:
    text = re.sub(r"( +base_url:).*", rf'\1 "{url}"', text)
    text = re.sub(r"( +company:).*", rf'\1 "{COMPANY}"', text)
    own = f"        since: {FOUNDED!r}\n        limits: {{requests_per_minute: 100000}}\n"
    return re.sub(r"( +settings:)", rf"{own}\1", text, count=1)


def _seen(folder: Path) -> str:
    return "a file" if folder.is_file() else ", ".join(sorted(path.name for path in folder.iterdir())[:3])
