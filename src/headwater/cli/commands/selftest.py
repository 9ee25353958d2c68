"""Run the conformance suite against a warehouse."""

from __future__ import annotations

import secrets
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from headwater.cli.extras import require_extra
from headwater.cli.options import OutputOptions, ProjectOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_table
from headwater.run import app
from headwater.run.signals import catch_signals

_NOTE = (
    "Stopping after the example in hand, then erasing what was made. Once more leaves at once, and leaves it there.\n"
)
_EXAMPLES = app.list_url_examples()
_COLOURS = {"passed": "green", "failed": "red", "skipped": "yellow", "stopped": "yellow"}

Listener = Callable[[app.Check, app.CheckResult | None], None]
"""Called with None when a check starts, and with its result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestArguments:
    """Which warehouse is tested, and how much."""

    warehouse: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help=f"{_EXAMPLES}. Default: the warehouse of the project.",
        ),
    ] = ""
    examples: Annotated[int, typer.Option(metavar="N", min=1, help="The number of random examples for each check.")] = (
        100
    )
    seed: Annotated[int | None, typer.Option(metavar="N", help="The random seed. Default: a new one.")] = None
    only: Annotated[
        list[str],
        typer.Option(metavar="A,B", help="Run only these checks, e.g. 5,point-in-time. You can repeat this option."),
    ] = ()  # type: ignore[assignment] # typer reads the type, and an empty default must not be shared
    keep: Annotated[bool, typer.Option("--keep", help="Keep the tenants of the self-test, to inspect them.")] = False
    erase: Annotated[
        list[str],
        typer.Option(metavar="A,B", help="Only erase tenants that were kept. You can repeat this option."),
    ] = ()  # type: ignore[assignment]


commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command()
@expand_options
def selftest(arguments: SelfTestArguments, project: ProjectOptions, output: OutputOptions) -> int:
    """Run the conformance suite against a warehouse.

    The checks compare history and star schema with reference implementations in plain Python, for random events and for
    fixed cases. The command uses separate tenants, selftest-..., and erases them at the end, also after Ctrl-C.
    """
    target = app.resolve_target(arguments.warehouse, root=project.project, environment=project.environment)
    if arguments.erase:
        return _erase(target, _split_names(arguments.erase), output)
    require_extra("selftest", "hypothesis")
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    _print_start(target, keep=arguments.keep)
    with catch_signals(_NOTE) as stop, _show_progress() as listen:
        options = app.SelfTestOptions(examples=arguments.examples, seed=seed, stop=stop)
        report = app.run_selftest(target, options, listen, only=_split_names(arguments.only), keep=arguments.keep)
    content = {**to_plain(report), "outcome": report.outcome, "exit_code": report.exit_code}
    print_result(output, content, *_render_report(report, arguments, project))
    return report.exit_code


def _split_names(texts: Sequence[str]) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _print_start(target: app.SelfTestTarget, *, keep: bool) -> None:
    end = "and leaves them there (--keep)." if keep else "and erases them at the end."
    typer.echo(
        f"Makes the tenant {target.tenant} and others named after it ({target.location}); touches no other, {end}",
        err=True,
    )


def _erase(target: app.SelfTestTarget, tenants: list[str], output: OutputOptions) -> int:
    app.erase_selftest(target, tenants)
    print_result(output, {"erased": tenants}, Text(f"erased {', '.join(tenants)}"))
    return 0


@contextmanager
def _show_progress() -> Iterator[Listener]:
    """Show each check on standard error: with a status line on a terminal, as plain lines elsewhere."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield _print_plain
        return
    with console.status("") as status:

        def listen(check: app.Check, result: app.CheckResult | None) -> None:
            if result is None:
                status.update(f"{check.name}: {check.promise}")
            else:
                console.print(_render_line(result), highlight=False)

        yield listen


def _print_plain(check: app.Check, result: app.CheckResult | None) -> None:
    del check
    if result is not None:
        typer.echo(f"{result.outcome} {result.name} examples={result.examples} seconds={result.seconds:.1f}", err=True)


def _render_line(result: app.CheckResult) -> Text:
    return Text.assemble((result.outcome, _COLOURS[result.outcome]), f" {result.name}: {result.promise}")


def _render_report(
    report: app.SelfTestReport, arguments: SelfTestArguments, project: ProjectOptions
) -> Iterator[RenderableType]:
    """All checks, the differences of those that failed, and a summary."""
    rows = [
        (result.name, result.promise, result.examples, f"{result.seconds:.1f}", result.outcome)
        for result in report.verdicts
    ]
    yield render_table(("check", "promise", "examples", "seconds", "outcome"), rows)
    for result in report.verdicts:
        if result.outcome == "failed":
            title = (f"failed {result.name}: {result.promise}", "red")
            yield Text.assemble("\n", title, _render_failure(result), overflow="ignore", no_wrap=True)
        if result.reason:
            yield Text(f"\nskipped {result.name}: {result.reason}", style="yellow")
    for note in report.notes:
        yield Text(f"\n! {note}", style="yellow")
    yield _render_summary(report)
    if report.outcome == "failed":
        yield Text(f"To repeat: {_build_command(report, arguments, project)}", overflow="ignore", no_wrap=True)
    if report.tenants:
        yield Text(f"Still there: {', '.join(report.tenants)}. `headwater selftest --erase A,B` removes them.")


def _render_failure(result: app.CheckResult) -> str:
    example = f"\n\nsmallest example found\n{result.example}" if result.example else ""
    return f"{example}\n\n{result.difference}\n"


def _render_summary(report: app.SelfTestReport) -> Text:
    results = report.verdicts
    counts = {name: sum(result.outcome == name for result in results) for name in ("passed", "failed", "skipped")}
    outcomes = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no check was run"
    examples = sum(result.examples for result in results)
    rest = f": {outcomes}; {examples:,} examples in {report.seconds:.0f} s, seed {report.seed} ({report.warehouse})."
    return Text.assemble("\n", (report.outcome.capitalize(), _COLOURS[report.outcome]), rest)


def _build_command(report: app.SelfTestReport, arguments: SelfTestArguments, project: ProjectOptions) -> str:
    """The command that draws the failing examples again."""
    words = ["headwater", "selftest"]
    if arguments.warehouse:
        words += ["--warehouse", arguments.warehouse]
    else:
        words += ["--project", str(project.project)]
        words += ["--env", project.environment] if project.environment else []
    failed = ",".join(result.name for result in report.verdicts if result.outcome == "failed")
    words += ["--only", failed, "--examples", str(report.examples), "--seed", str(report.seed)]
    return shlex.join(words)
