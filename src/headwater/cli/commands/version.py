"""Print the version, and details for bug reports."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from headwater.cli.installation import Installation, describe_installation
from headwater.cli.options import OutputOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_pairs, render_table
from headwater.version import __version__

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def version(
    output: OutputOptions,
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Also print Python, platform, libraries, extras and plug-ins.")
    ] = False,
) -> None:
    """Print the version, and details for bug reports.

    `--verbose` reads the metadata of installed packages. It prints no secrets and no paths.
    """
    if not verbose:
        print_result(output, {"version": __version__}, Text(f"headwater {__version__}"))
        return
    installation = describe_installation()
    print_result(output, to_plain(installation), *_render(installation))


def _render(installation: Installation) -> tuple[RenderableType, ...]:
    libraries = [(name, number or "not installed") for name, number in installation.libraries.items()]
    plugins = [(plugin.group, plugin.name, f"{plugin.package} {plugin.version}") for plugin in installation.plugins]
    extras = [name for name, installed in installation.extras.items() if installed]
    facts = {
        "headwater": installation.version,
        "python": installation.python,
        "platform": installation.platform,
        "extras": extras or "none",
    }
    return (
        render_pairs(facts),
        render_table(("library", "version"), libraries, title="Libraries"),
        render_table(("group", "plugin", "package"), plugins, title="Plugins"),
    )
