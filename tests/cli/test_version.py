"""What `headwater version` says of the installation, and what it keeps to itself."""

from __future__ import annotations

import getpass
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

from headwater.cli import installation
from headwater.version import __version__


def test_the_version_is_the_same_by_both_ways(shell):
    assert shell("version").out == f"headwater {__version__}\n" == shell("--version").out
    assert shell("version", "--json").json == {"version": __version__}


def test_verbose_lists_what_a_report_needs(shell):
    told = shell("version", "--verbose", "--json").json
    assert told["version"] == __version__
    assert platform.python_version() in told["python"]
    assert told["platform"] == platform.platform()
    assert told["libraries"]["duckdb"] == importlib.metadata.version("duckdb")
    assert told["extras"]["postgres"] is True
    plugins = {(plugin["group"], plugin["name"]): plugin["package"] for plugin in told["plugins"]}
    assert plugins["warehouses", "duckdb"] == plugins["ledgers", "sqlite"] == "headwater"
    drawn = shell("version", "--verbose").out
    for name, number in told["libraries"].items():
        assert any(line.split()[:2] == [name, number] for line in drawn.splitlines()), name


def test_a_library_that_is_missing_and_its_extra_are_told(shell, monkeypatch):
    lines = ["duckdb<2.1,>=2.0", "psycopg[binary]<3.4,>=3.3; extra == 'postgres'", 'nowhere-at-all>=1; extra == "lost"']
    monkeypatch.setattr(installation, "requires", lambda name: lines)
    told = shell("version", "--verbose", "--json").json
    assert set(told["libraries"]) == {"duckdb", "psycopg", "nowhere-at-all"}
    assert told["libraries"]["nowhere-at-all"] is None
    assert told["extras"] == {"lost": False, "postgres": True}
    assert "not installed" in shell("version", "--verbose").out


def test_a_plugin_of_another_package_is_listed(shell, monkeypatch, tmp_path):
    info = tmp_path / "headwater_toy-3.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: headwater-toy\nVersion: 3.1\n")
    (info / "entry_points.txt").write_text("[headwater.connectors]\ntoy = toy.connector\n[other]\nx = y\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins = shell("version", "--verbose", "--json").json["plugins"]
    wanted = {"group": "connectors", "name": "toy", "package": "headwater-toy", "version": "3.1"}
    assert [plugin for plugin in plugins if plugin["package"] == "headwater-toy"] == [wanted]


def test_neither_secrets_nor_paths_are_told(shell, monkeypatch):
    monkeypatch.setenv("CONNECTWISE_PRIVATE_KEY", "nobody-may-see-this")
    for words in (("version", "--verbose"), ("version", "--verbose", "--json")):
        out = shell(*words).out
        assert "nobody-may-see-this" not in out
        for private in (str(Path.home()), sys.prefix, str(Path.cwd()), f"/{getpass.getuser()}"):
            assert private not in out
        assert os.sep not in out
