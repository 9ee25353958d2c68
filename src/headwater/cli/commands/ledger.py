"""Move the ledger to another database."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from headwater.cli.options import OutputOptions, ProjectOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import format_count, render_table
from headwater.run import app

commands = typer.Typer(name="ledger", rich_markup_mode=None, add_completion=False)

Target = Annotated[
    str, typer.Option("--to", metavar="URL", help="The new ledger: a URL without a password, or a reference.")
]


@commands.callback()
def ledger() -> None:
    """Move the ledger to another database."""


@commands.command()
@expand_options
def move(
    to: Target,
    project: ProjectOptions,
    output: OutputOptions,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Move it. Otherwise, only show what would be moved.")] = False,
) -> None:
    """Move the ledger to another database.

    For example, from SQLite to Postgres, or to another schema. The target must be empty. All rows are copied and counted.
    Afterwards, runs with the old ledger are refused, so that no two ledgers write the same tenants. Then change
    `ledger: url:` in headwater.yaml.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        result = app.move_ledger(workspace, to) if yes else app.plan_ledger_move(workspace, to)
    rows = [(table, count) for table, count in result.rows.items()]
    total = format_count(sum(result.rows.values()), "row")
    done = f'moved {total}; now set ledger: {{url: "{to}"}} at {result.setting}'
    headline = done if yes else f"would move {total} of {result.source}; pass --yes to move them"
    print_result(output, {**to_plain(result), "moved": yes}, Text(headline), render_table(("table", "rows"), rows))
