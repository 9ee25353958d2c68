"""Show the SQL and the lineage of a table."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from headwater.cli.options import OutputOptions, ProjectOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_table
from headwater.run import app
from headwater.run.results import Explanation

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def explain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An entity, a dimension or a fact.")],
    project: ProjectOptions,
    output: OutputOptions,
) -> None:
    """Show the SQL and the lineage of a table."""
    with app.open_project(project.project, environment=project.environment) as workspace:
        explanation = app.explain(workspace, name)
    lineage = [dict(zip(("column", "expression", "sources"), line, strict=True)) for line in explanation.lineage]
    print_result(output, {**to_plain(explanation), "lineage": lineage}, *_render(explanation))


def _render(explanation: Explanation) -> list[RenderableType]:
    """The lineage and the SQL of a table."""
    return [
        Text(f"{explanation.kind} {explanation.name}, declared in {explanation.declared}"),
        render_table(("column", "expression", "from"), explanation.lineage, title="Lineage"),
        *(Text(f"\n{statement.rstrip(';')};") for statement in explanation.sql),
    ]
