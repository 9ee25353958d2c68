"""The example command at the end. The user can copy it and run it in the current directory."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from headwater.cli.demo.queries import read_query


def build_example_command(folder: Path) -> str:
    """Build a `headwater query` command for the project in `folder`."""
    return f'{_find_program()} query --project {shlex.quote(str(folder))} "\n{read_query("example")}"'


def _find_program() -> str:
    """Return how to call this program: `headwater` if it is on the path, otherwise its full path."""
    path = Path(sys.argv[0])
    if path.name != "headwater":
        return f"{shlex.quote(sys.executable)} -m headwater.cli"
    program = shutil.which("headwater")
    return "headwater" if program and Path(program).resolve() == path.resolve() else shlex.quote(str(path))
