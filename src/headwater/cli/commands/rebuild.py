"""Rebuild everything after raw, from raw."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.run_command import run_with_progress
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def rebuild(
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
    entity: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this entity, and what depends on it.")
    ] = None,
) -> int:
    """Rebuild everything after raw, from raw.

    The command sends no requests. The result is identical to that of incremental runs, including keys and load times.
    """
    return run_with_progress(
        project,
        output,
        lambda workspace, stop: app.rebuild(app.choose_tenant(workspace, tenant.tenant), entity=entity, stop=stop),
    )
