"""`headwater connector new` writes a connector that loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from headwater.model.load import load_connector
from headwater.run.manage.new_connector import write_connector


def test_the_new_connector_loads(tmp_path):
    write_connector(tmp_path / "connectors" / "acme_api", "acme_api")
    connector = load_connector(tmp_path / "connectors" / "acme_api" / "connector.yaml")
    assert connector.connector == "acme_api"
    assert connector.resources[0].resource == "things"


@pytest.mark.slow
def test_its_own_test_passes(tmp_path):
    folder = tmp_path / "acme_api"
    write_connector(folder, "acme_api")
    (folder / "samples").mkdir()
    (folder / "samples" / "things.json").write_text('[{"id": 1}]')
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout


def test_the_command_says_what_it_wrote(shell, tmp_path):
    shell("connector", "new", "acme_api", "--project", str(tmp_path), "--json")
    assert len(shell.json["written"]) == 3
    assert (tmp_path / "connectors" / "acme_api" / "README.md").is_file()


def test_nothing_is_overwritten(shell, tmp_path):
    (tmp_path / "connectors" / "acme_api").mkdir(parents=True)
    assert shell("connector", "new", "acme_api", "--project", str(tmp_path)).code == 2
    assert "already" in shell.err


def test_a_name_that_is_none_is_refused(shell, tmp_path):
    assert shell("connector", "new", "../evil", "--project", str(tmp_path)).code == 2
    assert not list(tmp_path.iterdir())
