"""Publishing to buckets and as Delta tables: whole states only, whoever reads and whenever a run dies."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from headwater.errors import WarehouseError
from headwater.publish import bucket as published_bucket
from headwater.run import app
from headwater.storage.endpoint import build_storage_options
from headwater.storage.url import open_store
from tests.publish.builders import publish_by_name
from tests.run.inspect.builders import erase, make_contact_event, make_project, remember

ANNA = {"contact_id": 1, "company_id": 7, "title": ""}
TABLES = "layer: silver, tables: [contact, contact_log]"


def make_published_project(tmp_path, url, file_format, warehouse=""):
    declared = f"publish:\n  - {{name: out, url: '{url}', format: {file_format}, {TABLES}}}\n"
    root = make_project(tmp_path / "shop", more=declared)
    if warehouse:
        path = root / "headwater.yaml"
        path.write_text(re.sub("^warehouse: .*$", f"warehouse: {warehouse}", path.read_text(), flags=re.MULTILINE))
    remember(root, make_contact_event("psa:1", "2026-01-01", **ANNA, first_name="Anna", last_name='"Alt", the first'))
    return root


def publish(root):
    with app.open_project(root) as workspace, closing(workspace.open_tenant("acme").open_warehouse()) as warehouse:
        return publish_by_name(workspace, warehouse, "out").split(" written")[0]


def read_stored(root, table):
    with (
        app.open_project(root) as workspace,
        closing(workspace.open_tenant("acme").open_warehouse(read_only=True)) as warehouse,
    ):
        return warehouse.rows(f"SELECT * FROM silver.{table} ORDER BY ALL")


def read_manifest(url):
    with closing(open_store(f"{url}/acme")) as store:
        file = store.read("current.json")
        return json.loads(file.body) if file else None


def read_rows(url, table, manifest):
    """The rows of a table in a state, as a reader finds them by `current.json`."""
    entry = manifest["tables"][table]
    with closing(open_store(f"{url}/acme")) as store, duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        if manifest["format"] == "delta":
            read = DeltaTable(
                f"{store.url}/{table}",
                version=entry["version"],
                storage_options=build_storage_options(store.url) or None,
            )
            arriving = pa.table(read.to_pyarrow_table())
            typed = [
                f"CAST({field.name} AS TIMESTAMP) AS {field.name}" if pa.types.is_timestamp(field.type) else field.name
                for field in arriving.schema
            ]
            return db.sql(f"SELECT {', '.join(typed)} FROM arriving ORDER BY ALL").fetchall()
        files = [str(store.fetch(file)) for file in entry["files"]]
        read = {"csv": "read_csv(?, allow_quoted_nulls = false)", "parquet": "read_parquet(?)"}[manifest["format"]]
        return db.execute(f"SELECT * FROM {read} ORDER BY ALL", [files]).fetchall()


OUTSIDE = ("folder-delta", "folder-parquet", "bucket-delta", "bucket-parquet", "bucket-csv")
IN_AZURE = [pytest.param(f"container-{name}", marks=pytest.mark.azure) for name in ("delta", "parquet")]


@pytest.fixture(params=[*OUTSIDE, *IN_AZURE])
def target(request, tmp_path):
    """A place and a format."""
    place, file_format = request.param.split("-")
    return str(tmp_path / "out") if place == "folder" else request.getfixturevalue(place) + "/out", file_format


def test_a_place_holds_what_the_warehouse_holds_and_a_replay_writes_nothing(tmp_path, target):
    url, file_format = target
    root = make_published_project(tmp_path, url, file_format)
    assert publish(root) == "2 of 2 tables"
    manifest = read_manifest(url)
    assert (manifest["publication"], manifest["layer"], manifest["format"]) == ("out", "silver", file_format)
    for table in ("contact", "contact_log"):
        assert read_rows(url, table, manifest) == read_stored(root, table)
    assert publish(root) == "0 of 2 tables"
    assert read_manifest(url) == manifest


def test_only_what_changed_is_written_again(tmp_path, target):
    url, file_format = target
    root = make_published_project(tmp_path, url, file_format)
    publish(root)
    before = read_manifest(url)["tables"]
    # The same again, seen later: the log grows, and no version of the contact does.
    remember(root, make_contact_event("psa:1", "2026-02-01", **ANNA, first_name="Anna", last_name='"Alt", the first'))
    assert publish(root) == "1 of 2 tables"
    manifest = read_manifest(url)
    if file_format == "delta":
        assert (before["contact"]["version"], manifest["tables"]["contact"]["version"]) == (0, 0)
        assert manifest["tables"]["contact_log"]["version"] == 1
    elif url.startswith(("s3:", "abfss:")):
        assert manifest["tables"]["contact"] == before["contact"]
    assert read_rows(url, "contact_log", manifest) == read_stored(root, "contact_log")


def test_a_reader_who_looked_before_still_finds_its_files_and_an_hour_later_they_go(tmp_path, bucket, monkeypatch):
    root = make_published_project(tmp_path, bucket, "parquet")
    publish(root)
    before = read_manifest(bucket)
    seen = read_rows(bucket, "contact", before)
    remember(root, make_contact_event("psa:1", "2026-02-01", **ANNA, first_name="Anna", last_name="Neu"))
    publish(root)
    assert read_rows(bucket, "contact", before) == seen
    assert len(read_rows(bucket, "contact", read_manifest(bucket))) == 2
    with closing(open_store(f"{bucket}/acme")) as store:
        store.write(".versions/dead/contact/part-0.parquet", b"left by a run that was killed")
        monkeypatch.setattr(published_bucket, "GRACE", published_bucket.GRACE * 0)
        publish(root)
        assert len(store.list(".versions/")) == 2
    assert len(read_rows(bucket, "contact", read_manifest(bucket))) == 2


def test_a_table_that_is_published_no_more_goes(tmp_path):
    url = str(tmp_path / "out")
    root = make_published_project(tmp_path, url, "delta")
    publish(root)
    path = root / "headwater.yaml"
    path.write_text(path.read_text().replace("tables: [contact, contact_log]", "tables: [contact]"))
    assert publish(root) == "0 of 1 tables"
    assert sorted(file.name for file in (tmp_path / "out" / "acme").iterdir()) == ["contact", "current.json"]


def test_files_and_delta_tables_do_not_share_a_place(tmp_path):
    url = str(tmp_path / "out")
    root = make_published_project(tmp_path, url, "delta")
    publish(root)
    path = root / "headwater.yaml"
    text = path.read_text()
    path.write_text(text.replace("format: delta", "format: csv"))
    with pytest.raises(WarehouseError, match="another format"):
        publish(root)
    path.write_text(text.replace("out'", "other'").replace("format: delta", "format: csv"))
    publish(root)
    path.write_text(text.replace("out'", "other'"))
    with pytest.raises(WarehouseError, match="another format"):
        publish(root)


def test_an_erased_tenant_is_published_no_more(tmp_path, target):
    url, file_format = target
    root = make_published_project(tmp_path, url, file_format)
    publish(root)
    erase(root)
    with closing(open_store(f"{url}/acme")) as store:
        assert store.list("") == []


def test_a_warehouse_of_files_publishes_too(tmp_path, target):
    url, file_format = target
    root = make_published_project(tmp_path, url, file_format, warehouse="{kind: files, url: tables}")
    assert publish(root) == "2 of 2 tables"
    assert publish(root) == "0 of 2 tables"
    assert read_rows(url, "contact", read_manifest(url)) == read_stored(root, "contact")
    remember(root, make_contact_event("psa:1", "2026-02-01", **ANNA, first_name="Anna", last_name="Neu"))
    assert publish(root) == "2 of 2 tables"
    assert read_rows(url, "contact", read_manifest(url)) == read_stored(root, "contact")


def test_a_reader_at_any_moment_sees_one_whole_state(tmp_path, target):
    url, file_format = target
    root = make_published_project(tmp_path, url, file_format)
    publish(root)
    seen, stop = [], threading.Event()

    with (
        app.open_project(root) as workspace,
        closing(workspace.open_tenant("acme").open_warehouse(read_only=True)) as warehouse,
    ):
        places = {
            table: [column.name for column in warehouse.describe("silver", table)].index("last_name")
            for table in ("contact", "contact_log")
        }

    def read_states():
        while not stop.is_set():
            manifest = read_manifest(url)
            names = [{row[at] for row in read_rows(url, table, manifest)} for table, at in places.items()]
            seen.append((manifest["state"], *map(frozenset, names)))

    reader = threading.Thread(target=read_states)
    reader.start()
    for day in range(2, 8):
        remember(
            root, make_contact_event("psa:1", f"2026-01-{day:02}", **ANNA, first_name="Anna", last_name=f"Day {day}")
        )
        publish(root)
    stop.set()
    reader.join()
    assert len({state for state, *_ in seen}) > 1
    assert all(one == other for _, one, other in seen)


SCRIPT = """
import sys
from pathlib import Path
from tests.publish.builders import publish_by_name
from tests.run.inspect.builders import erase, remember, make_contact_event
from tests.publish.test_targets import ANNA, publish
root = Path(sys.argv[1])
print("open", flush=True)
for day in range(int(sys.argv[2]), 29):
    remember(root, make_contact_event("psa:1", f"2026-02-{day:02}", **ANNA, first_name="Anna", last_name=f"Day {day}"))
    publish(root)
"""


@pytest.mark.slow
@pytest.mark.parametrize("target", ["folder-delta", "bucket-parquet"], indirect=True)
def test_killed_at_any_moment_readers_have_a_whole_state_and_the_next_run_goes_on(tmp_path, target):
    url, file_format = target
    root = make_published_project(tmp_path, url, file_format)
    publish(root)
    chance = random.Random(11)
    for number in range(3):
        run = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(root), str(1 + 6 * number)], stdout=subprocess.PIPE, text=True
        )
        assert run.stdout.readline() == "open\n"
        time.sleep(chance.uniform(0.05, 1.0))
        run.send_signal(signal.SIGKILL)
        run.communicate()
        manifest = read_manifest(url)
        for table in ("contact", "contact_log"):
            assert len(read_rows(url, table, manifest)) == manifest["tables"][table]["rows"]
    publish(root)
    manifest = read_manifest(url)
    for table in ("contact", "contact_log"):
        assert read_rows(url, table, manifest) == read_stored(root, table)


def test_the_recipe_of_the_guide_reads_one_state(tmp_path, monkeypatch):
    """As it stands in docs/guides/publish.md, for another table."""
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "publish.md").read_text()
    recipe = guide[guide.index("SET VARIABLE") : guide.index("```\n\npandas")].replace("fact_time_entry", "contact")
    root = make_published_project(tmp_path, str(tmp_path / "published"), "parquet")
    publish(root)
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as db:
        rows = db.execute(recipe).fetchall()
    assert rows == read_stored(root, "contact")
