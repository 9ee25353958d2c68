"""The guide to connectors, followed with the real command line against a service as the guide describes it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml

from tests.e2e.builders import Shop
from tests.e2e.http_server import serve_http

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "write-a-connector.md"
_BLOCK = re.compile(r"```(yaml|console)\n(.*?)```", re.DOTALL)
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
            for line in text.splitlines():
                words = shlex.split(line.removeprefix("$ headwater "))
                results[words[0]] = shop(*words).json
    assert len(results["query"]["rows"]) == len(TICKETS)
    assert results["query"]["rows"][0] == [1, "Ticket 1", "open"]
    assert results["run"]["quarantined"] == 0


def write_file(root, text):
    """Write a block of YAML to the file that its first line names."""
    path = root / text.splitlines()[0].removeprefix("# ")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    yaml.safe_load(text)
