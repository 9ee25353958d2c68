"""Run the conformance suite against a warehouse."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from headwater.cli.options import OutputOptions, ProjectOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_table
from headwater.cli.signals import catch_signals
from headwater.run import app

_NOTE = (
    "Stopping after the example in hand, then erasing what was made. Once more leaves at once, and leaves it there.\n"
)
_EXAMPLES = app.url_examples()
_COLOURS = {"held": "green", "failed": "red", "skipped": "yellow", "stopped": "yellow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Which warehouse is tried, and how hard."""

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
def selftest(effort: Effort, project: ProjectOptions, output: OutputOptions) -> int:
    """Run the conformance suite against a warehouse.

    The checks compare history and star schema with reference implementations in plain Python, for random events and for
    fixed cases. The command uses separate tenants, selftest-..., and erases them at the end, also after Ctrl-C.
    """
    where = app.place_to_try(effort.warehouse, root=project.project, environment=project.environment)
    if effort.erase:
        return _erase(where, _parts(effort.erase), output)
    seed = secrets.randbelow(10**6) if effort.seed is None else effort.seed
    _say(f"Makes the tenant {where.tenant} and others named after it ({where.place}); touches no other, ", effort)
    with catch_signals(_NOTE) as stop, _watching() as told:
        trial = app.SelfTestOptions(examples=effort.examples, seed=seed, stop=stop)
        done = app.selftest(where, trial, told, only=_parts(effort.only), keep=effort.keep)
    print_result(output, {**to_plain(done), "outcome": done.outcome, "exit_code": done.exit_code}, *_drawn(done))
    return done.exit_code


def _parts(texts: Sequence[str]) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _say(what: str, effort: Effort) -> None:
    after = "and leaves them there (--keep)." if effort.keep else "and erases them at the end."
    typer.echo(what + after, err=True)


def _erase(where: app.Tested, tenants: list[str], output: OutputOptions) -> int:
    app.erase_selftest(where, tenants)
    print_result(output, {"erased": tenants}, Text(f"erased {', '.join(tenants)}"))
    return 0


@contextmanager
def _watching() -> Iterator[Callable[[Any, Any], None]]:
    """Somebody to tell of each line: one that changes on a terminal, a plain one elsewhere."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield _plainly
        return
    with console.status("") as status:

        def told(line: Any, verdict: Any) -> None:
            if verdict is None:
                status.update(f"{line.name}: {line.promise}")
            else:
                console.print(_line(verdict), highlight=False)

        yield told


def _plainly(line: Any, verdict: Any) -> None:
    if verdict is not None:
        typer.echo(f"{verdict.outcome} {line.name} examples={verdict.examples} seconds={verdict.seconds:.1f}", err=True)


def _line(verdict: Any) -> Text:
    return Text.assemble((verdict.outcome, _COLOURS[verdict.outcome]), f" {verdict.name}: {verdict.promise}")


def _drawn(done: Any) -> Iterator[RenderableType]:
    """The page at the end: every line, what failed and how, and the sum."""
    rows = [(one.name, one.promise, one.examples, f"{one.seconds:.1f}", one.outcome) for one in done.verdicts]
    yield render_table(("check", "promise", "examples", "seconds", "outcome"), rows)
    for one in done.verdicts:
        if one.outcome == "failed":
            yield Text.assemble(
                "\n", (f"failed {one.name}: {one.promise}", "red"), _failing(one), overflow="ignore", no_wrap=True
            )
        if one.reason:
            yield Text(f"\nskipped {one.name}: {one.reason}", style="yellow")
    for note in done.notes:
        yield Text(f"\n! {note}", style="yellow")
    yield _sum(done)
    if done.tenants:
        yield Text(f"Still there: {', '.join(done.tenants)}. `headwater selftest --erase A,B` removes them.")


def _failing(verdict: Any) -> str:
    example = f"\n\nsmallest example found\n{verdict.example}" if verdict.example else ""
    return f"{example}\n\n{verdict.difference}\n"


def _sum(done: Any) -> Text:
    count = {name: sum(one.outcome == name for one in done.verdicts) for name in ("held", "failed", "skipped")}
    told = ", ".join(f"{number} {name}" for name, number in count.items() if number)
    tried = sum(one.examples for one in done.verdicts)
    rest = f": {told or 'nothing was tried'}; {tried:,} examples in {done.seconds:.0f} s, seed {done.seed} ({done.warehouse})."
    return Text.assemble("\n", (done.outcome.capitalize(), _COLOURS[done.outcome]), rest)
