"""`headwater quarantine`: refused records, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.text import Text

from headwater.cli import render
from headwater.cli.log import listening
from headwater.cli.options import Face, OfFeed, OfTenant, Place, spread
from headwater.cli.output import answer, plain
from headwater.run import app

commands = typer.Typer(name="quarantine", rich_markup_mode=None, add_completion=False)

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Record ids from `quarantine list`.")]


@commands.callback()
def quarantine() -> None:
    """List, show, retry or discard refused records."""


@commands.command("list")
@spread
def list_(
    feed: OfFeed,
    place: Place,
    tenant: OfTenant,
    face: Face,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also list readmitted and discarded records.")] = False,
) -> None:
    """List the records in quarantine, with all reasons."""
    with app.open_project(place.project, environment=place.environment) as opened:
        owner = app.choose_tenant(opened, tenant.tenant)
        found = app.refused(owner, connection=feed.connection, resource=feed.resource, everything=everything)
    rows = [_row(one) for one in found]
    drawn = render.listing([_short(row) for row in rows], nothing="nothing in quarantine")
    answer(face, {"quarantined": rows}, drawn)


@commands.command()
@spread
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A record id from `quarantine list`.")],
    place: Place,
    tenant: OfTenant,
    face: Face,
) -> None:
    """Show one refused record, with its reasons and the original record."""
    with app.open_project(place.project, environment=place.environment) as opened:
        found, record = app.refused_record(app.choose_tenant(opened, tenant.tenant), id_)
    row = _row(found)
    answer(face, {**row, "record": record}, render.pairs(_short(row)), Text(), Text(record))


@commands.command()
@spread
def retry(feed: OfFeed, place: Place, tenant: OfTenant, face: Face, *, ids: Ids = None) -> None:
    """Retry refused records with the current contracts and policies.

    By default, the command retries all records in quarantine. It reads them from the lake, without a request to the
    service. Readmitted records continue to history and star schema.
    """
    with (
        listening() as listen,
        app.open_project(place.project, environment=place.environment, listen=listen) as opened,
    ):
        owner = app.choose_tenant(opened, tenant.tenant)
        done = app.retry(owner, ids=ids or (), connection=feed.connection, resource=feed.resource)
    told = f"{done.tried} tried, {done.readmitted} readmitted, {done.refused} still refused"
    answer(face, plain(done), Text(told))


@commands.command()
@spread
def discard(feed: OfFeed, place: Place, tenant: OfTenant, face: Face, *, ids: Ids = None) -> None:
    """Discard refused records.

    They stay in raw, but `quarantine retry` no longer tries them.
    """
    if not (ids or feed.connection or feed.resource):
        raise typer.BadParameter("pass records, --connection or --resource", param_hint=["ID"])
    with app.open_project(place.project, environment=place.environment) as opened:
        owner = app.choose_tenant(opened, tenant.tenant)
        count = app.discard(owner, ids=ids or (), connection=feed.connection, resource=feed.resource)
    answer(face, {"discarded": count}, Text(f"{count} discarded"))


def _row(refused: Any) -> dict[str, Any]:
    """A refused record with its feed spread out."""
    row = plain(refused)
    feed = row.pop("feed")
    return {"id": row.pop("id"), **feed, **row}


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of it fits on a line."""
    why = [f"{reason['field']}: {reason['rule']} (saw {reason['value']})" for reason in row["reasons"]]
    names = ("id", "connection", "resource", "key", "state", "tries", "first_seen")
    return {**{name: row[name] for name in names}, "reasons": "; ".join(why)}
