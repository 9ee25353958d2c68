"""Show the version history of one record, and its sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import to_plain
from headwater.cli.render import format_count, format_value, render_table
from headwater.cli.row_output import FormatOption, Listing, print_listing
from headwater.clock import format_instant
from headwater.run import app
from headwater.run.results import History, VersionChange

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def history(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="An entity, e.g. company.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The entity key, e.g. desk:17, or 17 if it is unique.")],
    project: ProjectOptions,
    tenant: TenantOption,
    *,
    chosen: FormatOption,
    output: OutputOptions,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show the source record of each version, as the service sent it.")
    ] = False,
) -> None:
    """Show the version history of one record, and its sources.

    Each line shows the validity, the changes, and the batch and resource that they come from. jsonl prints an object for
    each of them.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        changes = app.read_history(app.choose_tenant(workspace, tenant.tenant), entity, key, raw=raw)
    rows = [_render_change(moment) for moment in changes.moments]
    value = to_plain(changes)
    listing = Listing(value=value, items=value["moments"], columns=_COLUMNS, rows=rows)
    print_listing(output, chosen, listing, lambda sideways: _render(changes, rows, sideways=sideways))


_COLUMNS = ("from", "to", "what", "source", "read at", "batch")
"""The columns of the table."""


_GONE = {
    "deleted": "deleted by the source",
    "absent": "missing in a complete read",
}


def _render(history: History, rows: Sequence[Sequence[Any]], *, sideways: bool) -> list[RenderableType]:
    """The versions of one record, one line each, and the raw records if requested."""
    versions = sum(moment.kind not in _GONE for moment in history.moments)
    counted = f"{format_count(versions, 'version')} of {format_count(history.events, 'observation')}"
    head = f"{history.entity} {history.entity_key}: {counted}"
    parts: list[RenderableType] = [
        Text(head),
        render_table(_COLUMNS, rows, sideways=sideways),
    ]
    if history.overwritten:
        newest = ", ".join(f"{name} = {_render_value(value)}" for name, value in history.overwritten.items())
        parts.append(Text(f"newest values of columns without versions: {newest}", style="dim"))
    for moment in history.moments:
        for record in moment.records:
            parts += [
                Text(f"\n{format_instant(moment.at)}  {record.path}, line {record.line}", style="dim"),
                Text(record.record),
            ]
    return parts


def _render_change(moment: VersionChange) -> tuple[Any, ...]:
    until = "open" if moment.until is None else format_instant(moment.until)
    source = f"{moment.connection} {moment.source}"
    return (moment.at, until, _describe_change(moment), source, moment.read_at or "", moment.batch_id)


def _describe_change(moment: VersionChange) -> str:
    """The changes of a version: all columns of the first version, otherwise each changed column."""
    if moment.kind in _GONE:
        return _GONE[moment.kind]
    if moment.kind == "first":
        return "\n".join(f"{change.column} = {_render_value(change.new)}" for change in moment.changes)
    changes = [
        f"{change.column}: {_render_value(change.old)} -> {_render_value(change.new)}" for change in moment.changes
    ]
    return "\n".join(["back", *changes] if moment.kind == "back" else changes)


def _render_value(value: Any) -> str:
    """A value within a line. An empty text is quoted, so that it is visible."""
    return "NULL" if value is None else "''" if value == "" else format_value(value)
