"""Converts the options of a run to a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import typer

from headwater.clock import check_chunk, parse_instant, parse_span
from headwater.errors import DeclarationError
from headwater.run.app import Layer, RunRequest, list_layers_to


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options that narrow a run."""

    connection: Annotated[str | None, typer.Option("--connection", metavar="NAME", help="Only this connection.")] = None
    resource: Annotated[str | None, typer.Option("--resource", metavar="NAME", help="Only this resource.")] = None
    layer: Annotated[Layer | None, typer.Option("--layer", help="Stop after this layer.")] = None
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="INSTANT", help="Only changes from this instant on, e.g. 2026-03-01 (UTC)."),
    ] = None
    until: Annotated[
        str | None, typer.Option("--until", metavar="INSTANT", help="Only changes before this instant.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """Options that change how a run reads, and what it deletes."""

    fresh: Annotated[bool, typer.Option("--fresh", help="Drop unfinished reads and restart them.")] = False
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Look for deletes now: read all ids and all snapshots, although not due.")
    ] = False
    allow_drop: Annotated[
        bool, typer.Option("--allow-drop", help="Apply deletes even if a sweep finds more than `max_drop` allows.")
    ] = False


def build_request(
    options: RunOptions, reads: ReadOptions = ReadOptions(), *, chunk: str | None = None, force: bool = False
) -> RunRequest:
    """Build the request for `run.app`. DeclarationError if its options contradict each other."""
    since, until = _parse_optional("--since", options.since), _parse_optional("--until", options.until)
    return RunRequest(
        connections=frozenset({options.connection} if options.connection else ()),
        resources=frozenset({options.resource} if options.resource else ()),
        layers=list_layers_to(options.layer),
        since=since,
        until=until,
        chunk=_parse_chunk(chunk),
        force=force,
        fresh=reads.fresh,
        sweep=reads.sweep,
        allow_drop=reads.allow_drop,
    )


def _parse_chunk(text: str | None) -> timedelta | None:
    if text is None:
        return None
    try:
        return parse_span(check_chunk(text))
    except ValueError as error:
        raise DeclarationError("This cannot be a chunk.", where="--chunk", details=text, hint=str(error)) from error


def _parse_optional(option: str, text: str | None) -> datetime | None:
    return None if text is None else parse_instant_option(option, text)


def parse_instant_option(option: str, text: str) -> datetime:
    """Parse an instant. BadParameter with the name of the option if it is invalid."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; use 2026-03-01 or 2026-03-01T08:00:00Z", param_hint=[option]) from error
