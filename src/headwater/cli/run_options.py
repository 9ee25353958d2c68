"""What of a plan is asked for, as typed on a command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from headwater.clock import parse_instant
from headwater.run.pipeline.options import Asked, Depth


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Options that narrow a run."""

    connection: Annotated[str | None, typer.Option("--connection", metavar="NAME", help="Only this connection.")] = None
    resource: Annotated[str | None, typer.Option("--resource", metavar="NAME", help="Only this resource.")] = None
    layer: Annotated[Depth | None, typer.Option("--layer", help="Stop after this layer.")] = None
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="INSTANT", help="Only changes from this instant on, e.g. 2026-03-01 (UTC)."),
    ] = None
    until: Annotated[
        str | None, typer.Option("--until", metavar="INSTANT", help="Only changes before this instant.")
    ] = None


def asked(
    request: Request,
    *,
    chunk: str | None = None,
    force: bool = False,
    fresh: bool = False,
    allow_drop: bool = False,
) -> Asked:
    """The request as `run.app` takes it."""
    return Asked(
        connection=request.connection,
        resource=request.resource,
        layer=request.layer,
        since=_if_given("--since", request.since),
        until=_if_given("--until", request.until),
        chunk=chunk,
        force=force,
        fresh=fresh,
        allow_drop=allow_drop,
    )


def _if_given(option: str, text: str | None) -> datetime | None:
    return None if text is None else instant(option, text)


def instant(option: str, text: str) -> datetime:
    """The instant that was typed; a complaint that names the option when it is none."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; use 2026-03-01 or 2026-03-01T08:00:00Z", param_hint=[option]) from error
