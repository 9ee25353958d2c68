"""Execute one step of a plan, for an orchestrator."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from headwater.cli.errors import UsageError
from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.run_command import run_with_progress
from headwater.cli.run_report import STATE_COLOURS, render_report
from headwater.run import app
from headwater.run.results import RunReport

commands = typer.Typer(rich_markup_mode=None, add_completion=False)

_PLAN_HINT = "`headwater plan --json > plan.json` writes a plan"


@commands.command()
@expand_options
def step(
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
    *,
    step: Annotated[
        str,
        typer.Argument(metavar="STEP", help="A step from `plan --json`, its id, or `-` for standard input."),
    ],
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="A file with the output of `plan --json` that contains the id."),
    ] = None,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait while another run works on the tenant.")
    ] = 0.0,
    allow_drop: Annotated[
        bool, typer.Option("--allow-drop", help="Apply deletes even if a sweep finds more than `max_drop` allows.")
    ] = False,
) -> int:
    """Execute one step of a plan, for an orchestrator.

    A step that is already done does nothing. A step whose dependencies have not succeeded ends with exit code 2. After a
    kill, the same call resumes. The other exit codes are those of `run`; 3 means that the step is done, with a warning.
    """
    text = sys.stdin.read() if step == "-" else step
    parsed = _parse("STEP", text) if text.lstrip().startswith("{") else text.strip()
    source = None if plan is None else _read_plan(plan)
    return run_with_progress(
        project,
        output,
        lambda workspace, stop: app.run_step(
            workspace,
            tenant.tenant,
            parsed,
            plan=source,
            options=app.StepOptions(wait=wait, allow_drop=allow_drop, stop=stop),
        ),
        render=_render,
    )


def _read_plan(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            "The plan cannot be read.", where="--plan", details=f"{path}: {reason}", hint=_PLAN_HINT
        ) from error
    return _parse("--plan", text)


def _parse(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{name} is not JSON.", where="headwater step", details=str(error), hint=_PLAN_HINT) from error
    if not isinstance(value, dict):
        raise UsageError(f"{name} is not a JSON object.", where="headwater step", details=text[:80], hint=_PLAN_HINT)
    return value


def _render(report: RunReport) -> list[RenderableType]:
    """Render the report of one step."""
    lines = [
        Text.assemble((step.state, STATE_COLOURS[step.state]), f"  {step.step}  {step.detail}")
        for step in report.steps
        if step.state == "succeeded"
    ]
    return [*lines, *render_report(report)]
