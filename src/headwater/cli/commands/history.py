"""Show the version history of one record, and its sources."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import format_count, format_value, render_table
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
    output: OutputOptions,
    *,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show the source record of each version, as the service sent it.")
    ] = False,
) -> None:
    """Show the version history of one record, and its sources.

    Each line shows the validity, the changes, and the batch and resource that they come from.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        changes = app.read_history(app.choose_tenant(workspace, tenant.tenant), entity, key, raw=raw)
    print_result(output, to_plain(changes), *_render(changes), paged=True)


_GONE = {
    "deleted": "deleted by the source",
    "absent": "missing in a complete read",
}


def _render(history: History) -> list[RenderableType]:
    """The versions of one record, one line each, and the raw records if requested."""
    versions = sum(moment.kind not in _GONE for moment in history.moments)
    counted = f"{format_count(versions, 'version')} of {format_count(history.events, 'observation')}"
    head = f"{history.entity} {history.entity_key}: {counted}"
    columns = ("from", "to", "what", "source", "read at", "batch")
    parts: list[RenderableType] = [
        Text(head),
        render_table(columns, [_render_change(moment) for moment in history.moments]),
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
