"""`headwater as-of`: a past day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from headwater.cli import render, run_options
from headwater.cli.options import Face, OfTenant, Place, spread
from headwater.cli.output import answer, plain
from headwater.run import app


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which rows and columns are shown."""

    where: Annotated[str, typer.Option(metavar="SQL", help="Filter: one condition, e.g. \"status = 'Open'\".")] = ""
    columns: Annotated[str, typer.Option(metavar="A,B", help="Show only these columns.")] = ""
    limit: Annotated[int | None, typer.Option(metavar="N", min=0, help="The maximum number of rows.")] = None


commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command("as-of")
@spread
def as_of(
    instant: Annotated[
        str, typer.Argument(metavar="INSTANT", help="An instant in UTC: 2026-03-01 or 2026-03-01T08:00:00Z.")
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="An entity (company) or a dimension (dim_company).")],
    part: Part,
    place: Place,
    tenant: OfTenant,
    *,
    face: Face,
) -> None:
    """Show an entity or a dimension as it was at an instant.

    The instant refers to the time of the change in the source, not to the time of the read. In SQL, use
    silver.company_asof(TIMESTAMP '2026-03-01').
    """
    at = run_options.instant("INSTANT", instant)
    chosen = [column.strip() for column in part.columns.split(",") if column.strip()]
    with app.open_project(place.project, environment=place.environment) as opened:
        owner = app.choose_tenant(opened, tenant.tenant)
        found = app.as_of(owner, at, name, where=part.where, columns=chosen, limit=part.limit)
    answer(face, {"as_of": at, **plain(found)}, *render.answered(found))
