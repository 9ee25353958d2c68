"""What is built holds everything that is needed at run time: manifests, blueprints, migrations."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest

from tests.house.source import HOUSE, ROOT, project

KEPT = (".py", ".yaml", ".sql", ".mako", ".json", ".typed")
"""Kinds of file that belong in the package."""


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """The files in a wheel built from these sources, without the network."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as held:
        return set(held.namelist())


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(names):
    files = [path for path in HOUSE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    missing = [
        path.relative_to(HOUSE.parent).as_posix()
        for path in files
        if path.suffix in KEPT and path.relative_to(HOUSE.parent).as_posix() not in names
    ]
    assert not missing, missing


@pytest.mark.slow
def test_the_wheel_holds_no_tests(names):
    assert not [name for name in names if name.startswith(("tests/", "bench/"))]


def test_every_kind_of_file_in_the_package_is_a_known_one():
    """A new kind has to be thought about: does it ship, does it need a reader."""
    files = [path for path in HOUSE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    strange = [path.relative_to(HOUSE).as_posix() for path in files if path.suffix not in (*KEPT, ".md")]
    assert not strange, strange


def test_the_package_says_that_it_is_typed():
    assert (HOUSE / "py.typed").is_file()


def test_the_version_is_said_once_in_each_place():
    namespace: dict[str, str] = {}
    exec((HOUSE / "__init__.py").read_text(encoding="utf-8"), namespace)
    declared = project()["project"]["version"]  # type: ignore[index]
    assert namespace["__version__"] == declared
    assert f"## [{declared}]" in (changelog := (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")) or (
        "## [Unreleased]" in changelog
    )
