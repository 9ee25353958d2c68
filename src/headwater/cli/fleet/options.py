"""The options of `run --all`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import typer

from headwater.cli.errors import UsageError
from headwater.cli.options import TenantOption
from headwater.clock import parse_span
from headwater.run.app import FleetRequest, RunRequest

_MOST_JOBS = 4
"""The most processes that are started unless `--jobs` requests more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOptions:
    """The options of a run of many tenants."""

    all_tenants: Annotated[bool, typer.Option("--all", help="Run all tenants, the most overdue first.")] = False
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", metavar="N", min=1, help="With --all: processes. Default: one per processor, at most 4."
        ),
    ] = None
    pattern: Annotated[
        str | None,
        typer.Option(
            "--tenant-pattern", metavar="GLOB", help="With --all: only tenants whose name matches, e.g. `eu-*`."
        ),
    ] = None
    due: Annotated[
        str | None,
        typer.Option(
            "--due",
            metavar="SPAN",
            help="With --all: only tenants whose last successful run ended so long ago, e.g. 1h.",
        ),
    ] = None
    tenant_timeout: Annotated[
        str | None,
        typer.Option("--tenant-timeout", metavar="SPAN", help="With --all: the longest time for one tenant, e.g. 30m."),
    ] = None
    queue: Annotated[
        bool, typer.Option("--queue", help="With --all: leave the tenants to `headwater worker`, on any machine.")
    ] = False


def build_fleet_request(options: FleetOptions, tenant: TenantOption, request: RunRequest) -> FleetRequest:
    """Build the request for `run.app`. UsageError if options contradict each other."""
    if tenant.tenant is not None:
        raise UsageError(
            "`--all` and `--tenant` contradict each other.",
            where="headwater run",
            details=f"--tenant {tenant.tenant}",
            hint="use `--tenant-pattern` to select some tenants",
        )
    if options.queue and options.jobs is not None:
        raise UsageError(
            "`--queue` and `--jobs` contradict each other.",
            where="headwater run",
            details=f"--jobs {options.jobs}",
            hint="pass `--jobs` to `headwater worker`",
        )
    return FleetRequest(
        run=request,
        pattern=options.pattern or "*",
        due=_parse_optional_span("--due", options.due),
        jobs=options.jobs or count_default_jobs(),
        timeout=_parse_optional_span("--tenant-timeout", options.tenant_timeout),
    )


def check_single_run(options: FleetOptions) -> None:
    """UsageError if an option of `--all` is used without it: one tenant would run, which nobody meant."""
    values = {
        "--jobs": options.jobs,
        "--tenant-pattern": options.pattern,
        "--due": options.due,
        "--tenant-timeout": options.tenant_timeout,
        "--queue": options.queue or None,
    }
    used = [name for name, value in values.items() if value is not None]
    if used:
        raise UsageError(
            f"`{used[0]}` needs `--all`.", where="headwater run", details=", ".join(used), hint="add `--all`"
        )


def count_default_jobs() -> int:
    """The number of processes unless `--jobs` says it."""
    return min(_MOST_JOBS, os.cpu_count() or 1)


def parse_span_option(option: str, text: str, *, can_be_empty: bool = False) -> timedelta:
    """Parse a span. BadParameter with the name of the option if it is invalid, or empty and must not be."""
    try:
        span = parse_span(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=[option]) from error
    if not span and not can_be_empty:
        raise typer.BadParameter("the span is empty", param_hint=[option])
    return span


def _parse_optional_span(option: str, text: str | None) -> timedelta | None:
    return None if text is None else parse_span_option(option, text)
