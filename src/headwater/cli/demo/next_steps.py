"""The command to try at the end: it works as printed, from where the user stands."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from headwater.cli.demo.queries import question


def trial(folder: Path) -> str:
    """A `headwater query` on the project in `folder`."""
    return f'{_called()} query --project {shlex.quote(str(folder))} "\n{question("trial")}"'


def _called() -> str:
    """What the user types to call this program: the plain word where that finds it."""
    path = Path(sys.argv[0])
    if path.name != "headwater":
        return f"{shlex.quote(sys.executable)} -m headwater.cli"
    found = shutil.which("headwater")
    return "headwater" if found and Path(found).resolve() == path.resolve() else shlex.quote(str(path))
