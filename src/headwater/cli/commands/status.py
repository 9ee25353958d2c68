"""Show the state of all resources and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import typer
from rich.console import RenderableType

from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_pairs, render_table
from headwater.cli.run_report import render_counts
from headwater.run import app
from headwater.run.results import FeedStatus, TableStatus

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def status(project: ProjectOptions, tenant: TenantOption, output: OutputOptions) -> None:
    """Show the state of all resources and tables."""
    with app.open_project(project.project, environment=project.environment) as workspace:
        state = app.read_status(app.choose_tenant(workspace, tenant.tenant))
    heads = {
        "tenant": state.tenant,
        "warehouse": state.warehouse,
        "running": state.running or "nobody",
        **{f"last run {name}": value for name, value in (state.last_run or {}).items()},
    }
    print_result(
        output,
        to_plain(state),
        render_pairs(heads),
        *_render_feeds(state.feeds),
        *render_counts(state.counts),
        _render_tables(state.tables),
    )


def _render_feeds(rows: Sequence[FeedStatus]) -> Iterator[RenderableType]:
    """The state of each resource, and the last failure of those that failed."""
    columns = ["connection", "resource", "until", "windows", "rows", "waiting", "quarantined", "drift"]
    cells = [_render_feed(row) for row in rows]
    if not any(row[-1] for row in cells):
        # Without drift, the table fits most terminals.
        columns, cells = columns[:-1], [row[:-1] for row in cells]
    yield render_table(columns, cells, title="Resources", whole=("resource",))
    failed = [(row.connection, row.resource, row.failed.splitlines()[0]) for row in rows if row.failed]
    if failed:
        yield render_table(("connection", "resource", "why"), failed, title="Failed", whole=("resource",))


def _render_feed(row: FeedStatus) -> tuple[Any, ...]:
    until = row.until or "nothing yet"
    # Missing fields are only in the JSON, because here they would hide new fields.
    new = [drift for drift in row.drift if not drift.startswith("missing ")]
    drift = ", ".join(new) if len(new) <= 3 else f"{len(new)} fields"
    return (row.connection, row.resource, until, row.windows, row.rows, row.waiting, row.quarantined, drift)


def _render_tables(rows: Sequence[TableStatus]) -> RenderableType:
    """The tables of the warehouse."""
    return render_table(("layer", "table", "rows"), [(row.layer, row.table, row.rows) for row in rows], title="Tables")
