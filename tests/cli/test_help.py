"""What `--help` says, and what it costs."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from headwater.cli.lazy_command import LazyCommand, find_commands
from headwater.cli.main import FORMER_COMMANDS, build_group
from headwater.testing.golden import compare_golden

GOLDEN = Path(__file__).parents[1] / "golden" / "help"
COMMANDS = find_commands()

HEAVY = (
    "duckdb",
    "pyarrow",
    "sqlalchemy",
    "alembic",
    "pydantic",
    "httpx2",
    "sqlglot",
    "starlette",
    "rich",
    "headwater.run.app",
)
"""What the command line does without until a command needs it."""

PARTS = {
    "quarantine": ("list", "show", "retry", "discard"),
    "tenant": ("add", "claim", "list", "remove"),
    "ledger": ("move",),
    "queue": ("status", "pause", "resume"),
    "connection": ("accept", "add", "list", "login", "logout", "remove", "test"),
    "connector": ("list", "show", "new", "record", "test"),
    "generate": ("models",),
}
PAGES = [(), *((name,) for name in COMMANDS), *((name, part) for name, parts in PARTS.items() for part in parts)]


@pytest.mark.golden
@pytest.mark.parametrize("words", PAGES, ids=lambda words: "-".join(words) or "headwater")
def test_the_help_page_is_as_it_was(shell, words):
    shell(*words, "--help")
    assert shell.code == 0, shell.err
    compare_golden(GOLDEN / f"{'-'.join(('headwater', *words))}.txt", shell.out)


@pytest.mark.parametrize("words", [(), *((name,) for name in PARTS)], ids=lambda words: "-".join(words) or "headwater")
def test_the_line_of_a_command_in_a_list_is_a_whole_sentence(shell, monkeypatch, words):
    """A line that is too long is cut, and one that ends with `e.g.` says nothing."""
    monkeypatch.setenv("COLUMNS", "80")
    listed = shell(*words, "--help").out.partition("Commands:\n")[2].splitlines()
    assert listed
    assert [line for line in listed if not line.endswith(".") or line.endswith(("...", "e.g."))] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_the_same_in_the_list_and_on_its_own_page(name):
    command = COMMANDS[name].load()
    assert (command.help or "").split("\n")[0] == COMMANDS[name].help
    assert command.name == name


@pytest.mark.parametrize("name", COMMANDS)
def test_a_line_of_help_fits_on_a_screen(name):
    assert len(COMMANDS[name].help) <= 64


def test_every_option_says_what_it_does():
    silent = [
        f"{words}: {parameter.name}"
        for words in PAGES
        if words
        for parameter in command(words).params
        if not (getattr(parameter, "help", "") or "").strip()
    ]
    assert not silent


@pytest.mark.parametrize(
    "words",
    [
        words
        for words in PAGES
        if words and words[0] not in {"sandbox", "generate", "schema", "init", "demo", "version", "completion"}
    ],
)
def test_every_command_of_a_project_takes_the_same_options(words):
    if words[0] in PARTS and len(words) == 1:
        return
    names = {option for parameter in command(words).params for option in parameter.opts}
    assert {"--project", "--env", "--json", "--debug"} <= names


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_the_parts_that_the_contract_names(name):
    assert set(getattr(command((name,)), "commands", ())) == set(PARTS.get(name, ()))


def command(words):
    loaded = COMMANDS[words[0]].load()
    return loaded.commands[words[1]] if len(words) > 1 else loaded


def test_every_module_in_the_folder_is_a_command():
    folder = Path(importlib.import_module("headwater.cli.commands").__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert {command.module.rpartition(".")[2] for command in COMMANDS.values()} == modules
    assert {"as-of", "run"} <= COMMANDS.keys()


def test_help_loads_nothing_heavy():
    program = "import sys, headwater.cli.main as m; m.build_group(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in HEAVY if name in loaded]


def test_help_takes_under_a_third_of_a_second_of_processor_time():
    before = os.times()
    subprocess.run([sys.executable, "-m", "headwater.cli", "--help"], capture_output=True, check=True)
    after = os.times()
    spent = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    assert spent < 0.3


def test_nothing_typed_means_help(shell):
    script = subprocess.run([sys.executable, "-m", "headwater.cli"], capture_output=True, text=True, check=False)
    assert script.returncode == 0
    assert "Commands:" in script.stdout


def test_the_version_is_printed(capsys):
    script = subprocess.run(
        [sys.executable, "-m", "headwater.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert script.stdout.startswith("headwater ")


def test_the_whole_is_built_without_loading_a_command():
    assert all(isinstance(command, LazyCommand) for command in build_group().commands.values())


@pytest.mark.parametrize(("former", "name"), FORMER_COMMANDS.items())
def test_a_former_name_of_a_command_works_and_stands_in_no_help(former, name, shell):
    page = shell("--help").out
    assert f"  {name} " in page
    assert f"  {former} " not in page
    usage = [shell(word, "--help").out for word in (former, name)]
    assert usage[0].replace(f"headwater {former} ", f"headwater {name} ") == usage[1]
