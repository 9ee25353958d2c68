"""List, show, retry or discard refused records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from headwater.cli.log import open_listener
from headwater.cli.options import FeedOptions, OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_pairs, render_table
from headwater.cli.row_output import FormatOption, Listing, print_listing
from headwater.run import app

commands = typer.Typer(name="quarantine", rich_markup_mode=None, add_completion=False)

_COLUMNS = ("id", "connection", "resource", "key", "state", "tries", "first_seen", "reasons")
"""The columns of the table."""

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Record ids from `quarantine list`.")]


@commands.callback()
def quarantine() -> None:
    """List, show, retry or discard refused records."""


@commands.command("list")
@expand_options
def list_(
    feed: FeedOptions,
    project: ProjectOptions,
    tenant: TenantOption,
    chosen: FormatOption,
    output: OutputOptions,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also list readmitted and discarded records.")] = False,
) -> None:
    """List the records in quarantine, with all reasons.

    jsonl prints an object for each record. In csv, the reasons are one text.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        tenant_workspace = app.choose_tenant(workspace, tenant.tenant)
        refused = app.list_refused(
            tenant_workspace, connection=feed.connection, resource=feed.resource, include_closed=everything
        )
    items = [_to_row(record) for record in refused]
    rows = [list(_shorten(item).values()) for item in items]
    listing = Listing(value={"quarantined": items}, items=items, columns=_COLUMNS, rows=rows)
    print_listing(output, chosen, listing, lambda sideways: [_render_list(rows, sideways=sideways)])


def _render_list(rows: Sequence[Sequence[Any]], *, sideways: bool) -> RenderableType:
    if not rows:
        return Text("nothing in quarantine", style="dim")
    return render_table(_COLUMNS, rows, whole=("id",), sideways=sideways)


@commands.command()
@expand_options
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A record id from `quarantine list`.")],
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
) -> None:
    """Show one refused record, with its reasons.

    The record is printed as the service sent it.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        refused, record = app.read_refused(app.choose_tenant(workspace, tenant.tenant), id_)
    row = _to_row(refused)
    print_result(output, {**row, "record": record}, render_pairs(_shorten(row)), Text(), Text(record))


@commands.command()
@expand_options
def retry(
    feed: FeedOptions, project: ProjectOptions, tenant: TenantOption, output: OutputOptions, *, ids: Ids = None
) -> None:
    """Retry refused records with the current contracts and policies.

    By default, the command retries all records in quarantine. It reads them from the lake, without a request to the
    service. Readmitted records continue to history and star schema.
    """
    with (
        open_listener() as listen,
        app.open_project(project.project, environment=project.environment, listen=listen) as workspace,
    ):
        tenant_workspace = app.choose_tenant(workspace, tenant.tenant)
        report = app.retry(tenant_workspace, ids=ids or (), connection=feed.connection, resource=feed.resource)
    message = f"{report.tried} tried, {report.readmitted} readmitted, {report.refused} still refused"
    print_result(output, to_plain(report), Text(message))


@commands.command()
@expand_options
def discard(
    feed: FeedOptions, project: ProjectOptions, tenant: TenantOption, output: OutputOptions, *, ids: Ids = None
) -> None:
    """Discard refused records.

    They stay in raw, but `quarantine retry` no longer tries them.
    """
    if not (ids or feed.connection or feed.resource):
        raise typer.BadParameter("pass records, --connection or --resource", param_hint=["ID"])
    with app.open_project(project.project, environment=project.environment) as workspace:
        tenant_workspace = app.choose_tenant(workspace, tenant.tenant)
        count = app.discard(tenant_workspace, ids=ids or (), connection=feed.connection, resource=feed.resource)
    print_result(output, {"discarded": count}, Text(f"{count} discarded"))


def _to_row(refused: Any) -> dict[str, Any]:
    """A refused record as a flat row with its feed."""
    row = to_plain(refused)
    feed = row.pop("feed")
    return {"id": row.pop("id"), **feed, **row}


def _shorten(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a row for the table."""
    why = [f"{reason['field']}: {reason['rule']} (saw {reason['value']})" for reason in row["reasons"]]
    return {**{name: row[name] for name in _COLUMNS[:-1]}, "reasons": "; ".join(why)}
