"""The commands of the folder `commands`, each of which is imported on its first call.

So `headwater --help` and a mistyped command import no module of a command.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from typer.core import TyperCommand
from typer.main import get_command

_PACKAGE = "headwater.cli.commands"
_FOLDER = Path(__file__).parent / "commands"


class LazyCommand(TyperCommand):
    """The name and the line of help of a command. Its module is imported on the first call."""

    def __init__(self, name: str, *, module: str, line: str, hidden: bool = False) -> None:
        super().__init__(name=name, help=line, rich_markup_mode=None, hidden=hidden)
        self.module = module

    def load(self) -> Any:
        """Import and return the command itself, or the group if it has subcommands."""
        return get_command(importlib.import_module(self.module).commands)

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """The context of the imported command, which replaces this one."""
        return self.load().make_context(*args, **kwargs)


def find_commands() -> dict[str, LazyCommand]:
    """A command for each module in the folder, by name, in alphabetical order.

    The name is that of the module, with `-` for `_`. The line of help is the first line of the module's docstring.
    """
    paths = sorted(path for path in _FOLDER.glob("[!_]*.py"))
    return {path.stem.replace("_", "-"): _build_command(path) for path in paths}


def hide_command(name: str, command: LazyCommand) -> LazyCommand:
    """A copy of `command` under another name, which no help shows."""
    return LazyCommand(name, module=command.module, line=command.help or "", hidden=True)


def _build_command(path: Path) -> LazyCommand:
    return LazyCommand(path.stem.replace("_", "-"), module=f"{_PACKAGE}.{path.stem}", line=_read_summary(path))


def _read_summary(path: Path) -> str:
    """The first line of a module's docstring. The module is not imported."""
    with path.open(encoding="utf-8") as file:
        return file.readline().strip().strip('"')
