"""The guide to connectors, followed with the real command line against a service as the guide describes it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from headwater.run.kit.check_connector import SCENARIOS
from headwater.run.kit.replay import REPLAY_CHECKS
from tests.e2e.builders import Shop
from tests.e2e.http_server import serve_http

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
GUIDE = GUIDES / "write-a-connector.md"
_BLOCK = re.compile(r"```(yaml|console|python)\n(.*?)```", re.DOTALL)
TOKEN = "the-token-of-the-guide"
TICKETS = [
    {"id": number, "title": f"Ticket {number}", "state": {"name": "open"}, "changed_at": "2026-01-01T00:00:00Z"}
    for number in range(1, 131)
]


def answer(request):
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return 401, {}, {}
    page, size = int(request.params["page"]), int(request.params["per_page"])
    rows = [row for row in TICKETS if row["changed_at"] >= request.params["changed_since"]]
    return 200, {}, rows[(page - 1) * size : page * size]


def test_the_guide_to_connectors_reads_the_tickets(tmp_path):
    shop = Shop(tmp_path)
    shop.env["DESK_TOKEN"] = TOKEN
    results = {}
    with serve_http(answer) as url:
        for kind, text in _BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
            if kind == "yaml":
                write_file(tmp_path, text.replace("http://127.0.0.1:8080", url))
                continue
            if kind == "python":
                continue
            for line in text.splitlines():
                words = shlex.split(line.removeprefix("$ headwater "))
                results[words[0]] = shop(*words).json
                assert results[words[0]].get("outcome", "passed") in ("passed", "succeeded")
    assert len(results["query"]["rows"]) == len(TICKETS)
    assert results["query"]["rows"][0] == [1, "Ticket 1", "open"]
    assert results["run"]["quarantined"] == 0


def write_file(root, text):
    """Write a block to the file that its first line names."""
    path = root / text.splitlines()[0].removeprefix("# ")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if path.suffix == ".yaml":
        yaml.safe_load(text)


@pytest.mark.slow
def test_the_tutorial_takes_one_manifest_and_three_lines(tmp_path):
    """A service with OAuth, tokens and a delta, in a folder outside of any project."""
    for kind, text in _BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        if kind != "console" and "/roster/" in text.splitlines()[0]:
            write_file(tmp_path, text)
    folder = tmp_path / "connectors" / "roster"
    lines = [line for line in (folder / "test_roster.py").read_text().splitlines()[1:] if line]
    assert len(lines) == 3
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout


@pytest.mark.slow
def test_the_commands_of_the_guide_to_the_test_of_connectors_run(tmp_path):
    shop = Shop(tmp_path)
    shop.env["DESK_TOKEN"] = TOKEN
    with serve_http(answer) as url:
        for kind, text in _BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
            if kind == "yaml":
                write_file(tmp_path, text.replace("http://127.0.0.1:8080", url))
        for kind, text in _BLOCK.findall((GUIDES / "test-a-connector.md").read_text(encoding="utf-8")):
            for line in text.splitlines() if kind == "console" else ():
                words = [word for word in shlex.split(line.removeprefix("$ headwater ")) if word != "--json"]
                # All scenarios are played for another connector, in the test above.
                report = shop(*words, *(("--only", "complete") if words[-1] == "connectors/desk" else ())).json
                assert report.get("outcome", "passed") == "passed", report
    assert (tmp_path / "connectors/desk/recordings/tickets.json").is_file()


def test_every_scenario_is_in_the_guide():
    text = (GUIDES / "test-a-connector.md").read_text(encoding="utf-8")
    names = [*REPLAY_CHECKS, *(scenario.name for scenario in SCENARIOS)]
    assert [name for name in names if f"`{name}`" not in text] == []
