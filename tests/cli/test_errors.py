"""How a command fails: four parts, one code, no traceback, and no word of what a stranger's error quotes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from headwater.cli.errors import TENANT_COMMANDS
from headwater.cli.lazy_command import find_commands
from headwater.errors import (
    DeclarationError,
    DeclarationErrors,
    HeadwaterError,
    LakeError,
    LeaseHeld,
    PermanentError,
    SafetyCheckError,
    StateError,
    TransientError,
    UnsupportedError,
    WarehouseError,
)

PARTS = {"kind", "message", "at", "found", "fix"}


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (HeadwaterError, 1),
        (DeclarationError, 2),
        (TransientError, 1),
        (PermanentError, 1),
        (LakeError, 1),
        (WarehouseError, 1),
        (UnsupportedError, 1),
        (StateError, 1),
        (LeaseHeld, 1),
        (SafetyCheckError, 1),
    ],
)
def test_an_error_is_told_in_four_parts_with_its_own_code(shell, kind, code):
    shell.verb("check_project", kind("It is wrong.", where="models/a.yaml:3", details="this", hint="that"))
    shell("check")
    assert shell.code == code
    assert shell.out == ""
    assert shell.err == "error: It is wrong.\n  at    models/a.yaml:3\n  found this\n  fix   that\n"
    shell("check", "--json")
    assert shell.code == code
    assert shell.err == ""
    expected = {
        "kind": kind.__name__,
        "message": "It is wrong.",
        "at": "models/a.yaml:3",
        "found": "this",
        "fix": "that",
    }
    assert shell.json == {"error": expected}


def test_several_complaints_come_at_once(shell):
    shell.verb(
        "check_project",
        DeclarationErrors([DeclarationError("One.", where="a:1"), DeclarationError("Two.", where="b:2")]),
    )
    shell("check")
    assert shell.code == 2
    assert shell.err == "error: One.\n  at    a:1\n\nerror: Two.\n  at    b:2\n"
    error = shell("check", "--json").json["error"]
    assert [one["at"] for one in error["errors"]] == ["a:1", "b:2"]
    assert set(error) > PARTS


def test_a_defect_says_so_without_a_traceback_and_without_what_it_quotes(shell):
    shell.verb("check_project", RuntimeError("https://x?token=hunter2"))
    shell("check")
    assert shell.code == 1
    assert "bug" in shell.err
    assert "Traceback" not in shell.err
    assert "hunter2" not in shell.err
    assert "cli/commands/check.py:" in shell.err
    error = shell("check", "--json").json["error"]
    assert error["kind"] == "InternalError"
    assert error["found"] == "RuntimeError"


def test_debug_shows_the_traceback(shell):
    shell.verb("check_project", PermanentError("No."))
    assert "Traceback" in shell("check", "--debug").err
    assert shell.code == 1


def test_a_reader_that_left_is_no_failure_to_tell(shell):
    shell.verb("check_project", BrokenPipeError(32, "Broken pipe"))
    with pytest.raises(SystemExit):
        shell("check")


def test_a_machine_that_refuses_is_no_defect(shell):
    shell.verb("check_project", PermissionError(13, "Permission denied", "lake/raw"))
    shell("check")
    assert (shell.code, shell.out) == (1, "")
    assert shell.err.startswith(
        "error: The operating system refused to read or write.\n  at    lake/raw\n  found Permission denied\n"
    )
    assert shell("check", "--json").json["error"]["kind"] == "LocalIOError"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no file that is always full")
@pytest.mark.parametrize("words", [("--help",), ("--version",), ("no-such-command", "--json")])
def test_an_output_that_cannot_be_written_is_told_in_four_parts(words):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "headwater.cli", *words]
        left = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert left.returncode in {1, 2}
    assert "  fix   " in left.stderr
    assert "Traceback" not in left.stderr
    assert "Exception ignored" not in left.stderr


def test_a_reader_that_leaves_early_hears_nothing():
    command = f"{sys.executable} -m headwater.cli --help | true"
    left = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert left.stderr == ""


def test_a_hint_repeats_the_tenant_that_was_typed(shell):
    """A project with several tenants needs `--tenant` in every command, so a hint without it cannot be typed."""
    hint = "run `headwater run` or `headwater rebuild --entity x`; `headwater run --all` and `headwater check` stay"
    typed = (
        "run `headwater run --tenant acme` or `headwater rebuild --entity x --tenant acme`; "
        "`headwater run --all` and `headwater check` stay"
    )
    for words, expected in (((), hint), (("--tenant", "acme"), typed), (("--tenant=acme",), typed)):
        shell.verb("open_project", DeclarationErrors([DeclarationError("No.", where="x", hint=hint)]))
        assert shell("status", *words, "--json").json["error"]["fix"] == expected
        shell.verb("open_project", StateError("No.", hint=hint))
        assert expected in shell("status", *words).err
    assert "--tenant" not in shell("status", "--tenant", "acme", "--nope").err.partition("fix")[2]


def test_the_commands_of_hints_are_those_that_take_a_tenant():
    found = set()
    for name, command in find_commands().items():
        loaded = command.load()
        parts = getattr(loaded, "commands", {"": loaded})
        taking = [part for part, one in parts.items() if any("--tenant" in item.opts for item in one.params)]
        found |= {name} if len(taking) == len(parts) else {f"{name} {part}" for part in taking}
    assert found == set(TENANT_COMMANDS)
