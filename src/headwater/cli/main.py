"""The entry point `headwater`: runs one command and exits with its code."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from typer.core import TyperGroup

from headwater.cli.completion import PROGRAM, prepare_completion
from headwater.cli.errors import abandon_output, remember_tenant, report_error
from headwater.cli.lazy_command import find_commands, hide_command
from headwater.version import __version__

FORMER_COMMANDS = {"asof": "as-of"}
"""Former names of commands, with the current name. They still work, and no help shows them."""

COLLECT_AFTER = 20_000
"""How many new objects are searched for unused cycles at a time. Python's 700 suit programs that load little: the imports of
a command create 100,000 objects that stay, and searching them again and again took a tenth of its CPU.
"""

HELP = "Turn business SaaS APIs into a history-tracked star schema. (`--version` prints the version.)"


def build_group() -> TyperGroup:
    """The command line with all its commands, none of which is imported yet."""
    commands = find_commands()
    former = {former: hide_command(former, commands[name]) for former, name in FORMER_COMMANDS.items()}
    return TyperGroup(name="headwater", help=HELP, commands={**commands, **former}, rich_markup_mode=None)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    gc.set_threshold(COLLECT_AFTER)
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run_command(words or ["--help"]))


def run_command(words: Sequence[str]) -> int:
    """Run one command and return its exit code. Errors are reported before it returns."""
    remember_tenant(words)
    try:
        prepare_completion()
        code = (
            _print_version()
            if words and words[0] == "--version"
            else build_group().main([*words], PROGRAM, standalone_mode=False)
        )
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output closed the pipe, e.g. `head`.
        abandon_output()
        return 1
    except Exception as error:  # noqa: BLE001 - the outermost place that can report an error
        return report_error(error, as_json="--json" in words, debug="--debug" in words)
    return int(code or 0)


def _print_version() -> int:
    sys.stdout.write(f"headwater {__version__}\n")
    return 0
