"""The bare install has neither pyarrow nor numpy: a project is begun, run and looked at without them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.e2e.http_server import serve_http

BARE = """
import sys
class Bare:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pyarrow", "numpy", "pandas", "pytz"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Bare())
from headwater.cli.main import main
main(sys.argv[1:])
"""
RECORDS = [
    {
        "id": n,
        "name": f"thing {n}",
        "price": n + 0.5,
        "extra": {"z": [n, 1.50], "a": None},
        "at": "2026-01-02T03:04:05Z",
    }
    for n in range(1, 6)
]
CONNECTOR = """\
connector: toy
base_url: "{base_url}"
settings: {base_url: {}}
auth: {kind: none}
resources:
  - resource: things
    path: things
    key: [id]
    fields: {id: bigint, name: text, price: "decimal(18,4)", extra: json, at: timestamp}
  - resource: parts
    path: "things/{parent}/parts"
    parent: {resource: things}
    key: [id]
    fields: {id: bigint, name: text}
"""
ENTITIES = """\
entity: thing
sources: {toy.things: {map: {id: id, name: name, price: price, extra: "CAST(extra AS VARCHAR)", at: at}}}
key: id
columns: {id: bigint, name: text, price: "decimal(18,4)", extra: text, at: timestamp}
---
dimension: day
calendar: gregorian
first: 2020-01-01
last: 2030-12-31
---
dimension: thing
entity: thing
attributes: {name: T2, price: T1}
"""


def respond(request):
    parent = request.path.split("/")[2] if "/parts" in request.path else ""
    return 200, {}, [{"id": int(parent), "name": "part"}] if parent else RECORDS


@pytest.fixture
def url():
    with serve_http(respond) as url:
        yield url


def headwater(*words):
    done = subprocess.run(
        [sys.executable, "-c", BARE, *words], capture_output=True, text=True, env={**os.environ}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "leaked" not in done.stderr
    return done.stdout


def test_a_project_runs_without_pyarrow_and_numpy(tmp_path, url):
    root = tmp_path / "shop"
    headwater("init", str(root))
    (root / "connectors" / "toy").mkdir(parents=True)
    (root / "connectors" / "toy" / "connector.yaml").write_text(CONNECTOR)
    (root / "models" / "all.yaml").write_text(ENTITIES)
    declared = (root / "headwater.yaml").read_text()
    connection = f'      toy: {{connector: toy, settings: {{base_url: "{url}"}}}}\n'
    (root / "headwater.yaml").write_text(declared.replace("      {}\n", connection))
    project = ("--project", str(root), "--json")
    headwater("run", *project)
    headwater("run", *project)
    status = json.loads(headwater("status", *project))
    assert {feed["resource"]: feed["rows"] for feed in status["feeds"]}["things"] >= 5
    sql = 'SELECT id, price, extra, CAST("at" AS TIMESTAMPTZ) AS seen FROM silver.thing ORDER BY id LIMIT 1'
    assert json.loads(headwater("query", sql, *project))["rows"] == [
        [1, 1.5, '{"a":null,"z":[1,1.5]}', "2026-01-02T03:04:05Z"]
    ]
    days = json.loads(headwater("query", "SELECT COUNT(*) FROM gold.dim_day WHERE is_weekend", *project))["rows"]
    assert days[0][0] > 100
