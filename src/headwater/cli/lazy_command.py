"""Commands that are imported only when they are called for, so that `--help` and a mistyped word cost nothing."""

from __future__ import annotations

import importlib
from typing import Any

from typer.core import TyperCommand
from typer.main import get_command


class LazyCommand(TyperCommand):
    """A command's name and its line of help; the module that carries it out is loaded on the first call."""

    def __init__(self, name: str, *, module: str, line: str, hidden: bool = False) -> None:
        super().__init__(name=name, help=line, rich_markup_mode=None, hidden=hidden)
        self.module = module

    def load(self) -> Any:
        """The command itself (a group of them, where it has parts)."""
        return get_command(importlib.import_module(self.module).commands)

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """The context of the command itself, which then takes this one's place."""
        return self.load().make_context(*args, **kwargs)
