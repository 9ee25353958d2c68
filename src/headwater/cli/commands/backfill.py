"""`headwater backfill`: a span of the past."""

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
    """Which span is read, and how."""

    since: Annotated[str, typer.Option("--since", metavar="INSTANT", help="Where the span begins: 2025-01-01.")]
    until: Annotated[
        str | None, typer.Option("--until", metavar="INSTANT", help="Where it ends (not part of it); now unless given.")
    ] = None
    chunk: Annotated[
        str | None, typer.Option("--chunk", metavar="SPAN", help="The longest window of one read: 30d.")
    ] = None
    force: Annotated[
        bool, typer.Option("--force", help="Read what is committed as well, and begin anew what is half done.")
    ] = False


@commands.command()
@expand_options
def backfill(
    options: BackfillOptions, feed: FeedOptions, project: ProjectOptions, tenant: TenantOption, output: OutputOptions
) -> int:
    """Read a span of the past, in chunks.

    What is committed is not read again unless --force says so. Each chunk commits by itself, so a backfill that was stopped
    goes on where it was.
    """
    request = RunOptions(connection=feed.connection, resource=feed.resource, since=options.since, until=options.until)
    return run_with_progress(
        project,
        output,
        lambda workspace, stop: app.backfill(
            app.choose_tenant(workspace, tenant.tenant),
            build_request(request, chunk=options.chunk, force=options.force),
            stop=stop,
        ),
    )
