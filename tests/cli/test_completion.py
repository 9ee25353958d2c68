"""A shell completes commands, subcommands and options, by the script that the command prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


def complete_in_bash(line):
    """What bash offers at the end of a line, after the script was evaluated."""
    program = f"""
eval "$(headwater completion bash)"
COMP_WORDS=({line}); COMP_CWORD=$(({len(line.split())} - 1)); COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}
_headwater_completion headwater
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("headwater re", {"rebuild"}),
        ("headwater connection re", {"remove"}),
        ("headwater run --sw", {"--sweep"}),
    ],
)
def test_bash_completes(line, offered):
    assert set(complete_in_bash(line)) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_there_is_a_script_for_each_shell(shell):
    done = subprocess.run(
        [sys.executable, "-m", "headwater.cli", "completion", shell], capture_output=True, text=True, check=True
    )
    assert "_HEADWATER_COMPLETE" in done.stdout
    if shutil.which(shell) and shell != "powershell":
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)


def test_an_unknown_shell_is_an_error():
    done = subprocess.run(
        [sys.executable, "-m", "headwater.cli", "completion", "tcsh"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "tcsh" in done.stderr + done.stdout
