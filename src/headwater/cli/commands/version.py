"""`headwater version`: which version this is, and with `--verbose` what it runs on."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from headwater import __version__
from headwater.cli import render
from headwater.cli.installation import Installation, describe_installation
from headwater.cli.options import Face, spread
from headwater.cli.output import answer, plain

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@spread
def version(
    face: Face,
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Also print Python, platform, libraries, extras and plug-ins.")
    ] = False,
) -> None:
    """Print the version, and details for bug reports.

    `--verbose` reads the metadata of installed packages. It prints no secrets and no paths.
    """
    if not verbose:
        answer(face, {"version": __version__}, Text(f"headwater {__version__}"))
        return
    found = describe_installation()
    answer(face, plain(found), *_render(found))


def _render(found: Installation) -> tuple[RenderableType, ...]:
    libraries = [(name, number or "not installed") for name, number in found.libraries.items()]
    plugins = [(one.group, one.name, f"{one.package} {one.version}") for one in found.plugins]
    extras = [name for name, installed in found.extras.items() if installed]
    facts = {
        "headwater": found.version,
        "python": found.python,
        "platform": found.platform,
        "extras": extras or "none",
    }
    return (
        render.pairs(facts),
        render.table(("library", "version"), libraries, title="Libraries"),
        render.table(("group", "plugin", "package"), plugins, title="Plugins"),
    )
