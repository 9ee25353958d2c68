"""`headwater`: which command was asked, and how it ended."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from typer.core import TyperGroup

from headwater import __version__
from headwater.cli.errors import abandon_output, report_error
from headwater.cli.lazy_command import LazyCommand

COMMANDS = {
    "init": "Create a project.",
    "demo": "Sync months of simulated data and print a report.",
    "check": "Check all declarations of the project.",
    "plan": "Show what a run would do, without running it.",
    "run": "Read new data, and update history and star schema.",
    "step": "Execute one step of a plan, for an orchestrator.",
    "backfill": "Read a time span of history, in chunks.",
    "rebuild": "Rebuild everything after raw, from raw.",
    "status": "Show the state of all resources and tables.",
    "quarantine": "List, show, retry or discard refused records.",
    "tenant": "Add, list, claim or remove tenants.",
    "connection": "Add, list or test connections.",
    "connector": "List, show or create connectors.",
    "generate": "Generate contracts from an API specification.",
    "query": "Execute one read-only SQL statement.",
    "as-of": "Show an entity or a dimension as it was at an instant.",
    "history": "Show the version history of one record, and its sources.",
    "explain": "Show the SQL and the lineage of a table.",
    "selftest": "Run the conformance suite against a warehouse.",
    "sandbox": "Serve a simulated service on this machine.",
    "schema": "Print the JSON Schema of all declarations, for editors.",
    "version": "Print the version, and details for bug reports.",
}
"""Every command, and what it does. Its module is `headwater.cli.commands.<name>`, with `_` for `-`."""

FORMER_COMMANDS = {"asof": "as-of"}
"""Commands that had another name: it still works, and no help shows it."""

HELP = "Turn business SaaS APIs into a history-tracked star schema. (`--version` prints the version.)"


def build_group() -> TyperGroup:
    """The command line as a whole, with nothing loaded yet."""
    commands = {name: LazyCommand(name, module=find_module(name), line=line) for name, line in COMMANDS.items()}
    for former, name in FORMER_COMMANDS.items():
        commands[former] = LazyCommand(former, module=find_module(name), line=COMMANDS[name], hidden=True)
    return TyperGroup(name="headwater", help=HELP, commands=dict(commands), rich_markup_mode=None)


def find_module(name: str) -> str:
    """The module of a command."""
    return f"headwater.cli.commands.{name.replace('-', '_')}"


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: carry out one command and leave with its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run_command(words or ["--help"]))


def run_command(words: Sequence[str]) -> int:
    """Carry out one command; its exit code. Whatever goes wrong has been told when this returns."""
    try:
        code = (
            _print_version()
            if words and words[0] == "--version"
            else build_group().main([*words], "headwater", standalone_mode=False)
        )
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        abandon_output()
        return 1
    except Exception as error:  # noqa: BLE001 - the last place that can say what happened
        return report_error(error, as_json="--json" in words, debug="--debug" in words)
    return int(code or 0)


def _print_version() -> int:
    sys.stdout.write(f"headwater {__version__}\n")
    return 0
