"""Prints a result as text: on a terminal, in a pager, or to a file or pipe. Loaded by need: rich takes time to import."""

from __future__ import annotations

import io
import sys

from rich.console import Console, Group, RenderableType

from headwater.cli.pager import show_text

_WIDE = 4000
"""The width of an output that is not a terminal, so that tables in files and pipes are not wrapped."""


def print_text(*rendered: RenderableType, paged: bool) -> None:
    """Print a result as text. With `paged`, a terminal shows a long text in a pager."""
    if sys.stdout.isatty():
        _print_to_terminal(Console(highlight=False), *rendered, paged=paged)
    else:
        sys.stdout.write(_render_plain(*rendered))


def _print_to_terminal(console: Console, *rendered: RenderableType, paged: bool) -> None:
    if not paged:
        console.print(Group(*rendered))
        return
    with console.capture() as captured:
        console.print(Group(*rendered))
    show_text(captured.get(), height=console.height)


def _render_plain(*rendered: RenderableType) -> str:
    """Text for a file or a pipe: as wide as needed, without trailing blanks."""
    console = Console(file=io.StringIO(), highlight=False, width=_WIDE, force_terminal=False)
    with console.capture() as captured:
        console.print(Group(*rendered))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())
