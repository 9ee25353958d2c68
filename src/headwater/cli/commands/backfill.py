"""Read a time span of history, in chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from headwater.cli.options import FeedOptions, OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.run_command import run_with_progress
from headwater.cli.run_options import RunOptions, build_request
from headwater.run import app

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillOptions:
    """The time span to read."""

    since: Annotated[
        str, typer.Option("--since", metavar="INSTANT", help="The start of the time span, e.g. 2025-01-01.")
    ]
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="INSTANT", help="The end of the time span (exclusive). Default: now."),
    ] = None
    chunk: Annotated[
        str | None, typer.Option("--chunk", metavar="SPAN", help="The longest window of one read, e.g. 30d.")
    ] = None
    force: Annotated[
        bool, typer.Option("--force", help="Read committed windows again, and restart unfinished reads.")
    ] = False


@commands.command()
@expand_options
def backfill(
    options: BackfillOptions, feed: FeedOptions, project: ProjectOptions, tenant: TenantOption, output: OutputOptions
) -> int:
    """Read a time span of history, in chunks.

    Committed windows are not read again without --force. Each chunk is committed separately, so a backfill that was
    stopped resumes where it stopped.
    """
    request = RunOptions(connection=feed.connection, resource=feed.resource, since=options.since, until=options.until)
    return run_with_progress(
        project,
        output,
        lambda workspace, stop: app.run(
            app.choose_tenant(workspace, tenant.tenant),
            build_request(request, chunk=options.chunk, force=options.force),
            stop=stop,
        ),
    )
