"""What the README and the first pages show happens: every block of the console is typed, in order, and answers as shown.

A block that is no `console` (`sh`, for what needs the network) is not typed. A `yaml` block that begins with a file's name is
written there. A line `...` stands for any lines; of the others each must come, in order, whatever the numbers in them.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import pytest

from headwater.cli.main import run_command
from headwater.run import app
from tests.docs.pages import DOCS

ROOT = DOCS.parent
PAGES = [ROOT / "README.md", *sorted((DOCS / "getting-started").glob("*.md"))]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w./-]+\.yaml)\n")
_NUMBER = re.compile(r"[\d.,:]*\d")
_PORT = "8080"


@dataclass
class Terminal:
    """A shell that remembers its folder and what was exported, and a second one for what serves.

    The first command of Headwater runs in the shell, which finds the installed program. Those that follow run in this
    process, because a new process takes a second to start.
    """

    folder: Path
    port: str
    exported: dict[str, str] = field(default_factory=dict)
    serving: list[subprocess.Popen] = field(default_factory=list)
    has_run_program: bool = False

    def type(self, line):
        """Its exit code, and what it printed."""
        line = line.replace(_PORT, self.port)
        if line.startswith("cd "):
            self.folder = self.folder / line.removeprefix("cd ")
            return 0, ""
        if line.startswith("export "):
            self.exported |= dict(word.split("=", 1) for word in shlex.split(line)[1:])
            return 0, ""
        if line.startswith("headwater sandbox "):
            return 0, self.serve(line)
        if line.startswith("headwater ") and self.has_run_program:
            return self.run_in_process(shlex.split(line)[1:])
        self.has_run_program |= line.startswith("headwater ")
        env = environment() | self.exported
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=env, capture_output=True, text=True, timeout=200, check=False
        )
        return done.returncode, done.stdout if done.returncode == 0 else done.stdout + done.stderr

    def run_in_process(self, words):
        """Run a command in this process. Return its exit code and what it printed."""
        out, err = io.StringIO(), io.StringIO()
        env = patch.dict(os.environ, environment() | self.exported, clear=True)
        with env, chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
            code = run_command(words)
        return code, out.getvalue() if code == 0 else out.getvalue() + err.getvalue()

    def serve(self, line):
        """Start a service, and wait until it says its address."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {line}"], cwd=self.folder, env=environment(), stdout=subprocess.PIPE, text=True
        )
        self.serving.append(process)
        return process.stdout.readline()

    def close(self):
        for process in self.serving:
            process.terminate()
            process.wait(10)
            process.stdout.close()


def environment():
    """Ours, with `headwater` on the path, and nothing that a developer may have set for his own projects."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONNECTWISE_", "HEADWATER_"))}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"}


@pytest.fixture
def terminal(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    opened = Terminal(folder=tmp_path, port=port)
    yield opened
    opened.close()


def parse_commands(block):
    """Each command of a block, with the lines that it is shown to print."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        else:
            found[-1][1].append(line)
    return found


def loose(line):
    """A line without its numbers and its white space."""
    return " ".join(_NUMBER.sub("#", line).replace("─", "").split())


def find_missing_line(shown, printed):
    """The first shown line that does not come where it should; None if all do."""
    left, skipping = [loose(line) for line in printed.splitlines()], False
    left = [line for line in left if line]
    for line in shown:
        wanted = loose(line)
        if line == "...":
            skipping = True
            continue
        if not wanted:
            continue
        if wanted not in left or (not skipping and left[0] != wanted):
            return line
        left = left[left.index(wanted) + 1 :]
        skipping = False
    return None if skipping or not left or not shown else f"(nothing more, but: {left[0]})"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages speak to the sandbox with curl")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_can_be_typed_from_top_to_bottom(page, terminal):
    for language, block in _FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "yaml" and (name := _FILE.match(block)):
            path = terminal.folder / name[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.replace(_PORT, terminal.port), encoding="utf-8")
        if language == "console":
            for line, shown in parse_commands(block):
                code, printed = terminal.type(line)
                assert code == 0, f"{line}\n{printed}"
                lacks = find_missing_line(shown, printed)
                assert lacks is None, f"{line}\nshould print: {lacks}\nprinted:\n{printed}"


def test_numbers_and_space_do_not_matter_but_words_do():
    printed = "Succeeded: acme, 3.1 s. 1,200 records read\ntable   rows\n─────\nsilver.x   12\nsilver.y   13\n"
    assert find_missing_line(["Succeeded: acme, 2.0 s. 99 records read", "...", "silver.y 4"], printed) is None
    assert find_missing_line(["Succeeded: acme, 2.0 s. 99 records read"], printed) == "(nothing more, but: table rows)"
    assert find_missing_line(["Failed: acme", "..."], printed) == "Failed: acme"
    assert find_missing_line(["silver.x 12", "..."], printed) == "silver.x 12"
    assert find_missing_line([], printed) is None


def test_a_block_is_commands_and_what_they_print():
    assert parse_commands("$ one\n...\n$ two --now\na\nb\n") == [("one", ["..."]), ("two --now", ["a", "b"])]


def test_the_tables_of_the_guide_fit_beside_those_of_the_blueprint(tmp_path):
    app.init_project(tmp_path, blueprint="msp", connector="connectwise")
    declared = tmp_path / "headwater.yaml"
    declared.write_text(declared.read_text(encoding="utf-8").replace("CHANGE-ME", "acme"), encoding="utf-8")
    for _, block in _FENCE.findall((DOCS / "guides" / "your-own-tables.md").read_text(encoding="utf-8")):
        if name := _FILE.match(block):
            path = tmp_path / name[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block, encoding="utf-8")
    with app.open_project(tmp_path) as opened:
        found = app.check_project(opened)
    assert "queue" in found.entities
    assert "queue" in found.dimensions
    assert {"closed_ticket", "time_entry"} <= set(found.facts)
