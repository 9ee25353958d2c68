"""`headwater run`: the daily work."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.run_command import run_with_progress
from headwater.cli.run_options import RunOptions, build_request
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def run(
    request: RunOptions,
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Drop reads that are half done, and begin them anew.")] = False,
    allow_drop: Annotated[
        bool, typer.Option("--allow-drop", help="Delete even if a sweep finds more gone than `max_drop` allows.")
    ] = False,
) -> int:
    """Read what is missing, and bring history and star up to date.

    What is committed is not read again, so a second run does next to nothing, and a run that was stopped goes on where it
    was, unless what shapes its requests was declared otherwise since. Exit code 3 if some parts failed; what does not
    depend on them was done.
    """
    return run_with_progress(
        project,
        output,
        lambda workspace, stop: app.run(
            app.choose_tenant(workspace, tenant.tenant),
            build_request(request, fresh=fresh, allow_drop=allow_drop),
            stop=stop,
        ),
    )
