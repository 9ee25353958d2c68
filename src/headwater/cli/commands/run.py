"""Read new data, and update history and star schema."""

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
    fresh: Annotated[bool, typer.Option("--fresh", help="Drop unfinished reads and restart them.")] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Look for deletes now: read all ids and all snapshots, although not due.")
    ] = False,
    allow_drop: Annotated[
        bool, typer.Option("--allow-drop", help="Apply deletes even if a sweep finds more than `max_drop` allows.")
    ] = False,
) -> int:
    """Read new data, and update history and star schema.

    Committed windows are not read again. A run that was stopped resumes where it stopped, unless the declaration of its
    requests has changed. Exit code 3 if some parts failed. Parts that do not depend on them are complete.
    """
    return run_with_progress(
        project,
        output,
        lambda workspace, stop: app.run(
            app.choose_tenant(workspace, tenant.tenant),
            build_request(request, fresh=fresh, sweep=sweep, allow_drop=allow_drop),
            stop=stop,
        ),
    )
