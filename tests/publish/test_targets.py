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
from tests.run.inspect.past import erase, project, remember, said

ANNA = {"contact_id": 1, "company_id": 7, "title": ""}
TABLES = "layer: silver, tables: [contact, contact_log]"


def shop(tmp_path, url, file_format, warehouse=""):
    declared = f"publish:\n  - {{name: out, url: '{url}', format: {file_format}, {TABLES}}}\n"
    root = project(tmp_path / "shop", more=declared)
    if warehouse:
        path = root / "headwater.yaml"
        path.write_text(re.sub("^warehouse: .*$", f"warehouse: {warehouse}", path.read_text(), flags=re.MULTILINE))
    remember(root, said("psa:1", "2026-01-01", **ANNA, first_name="Anna", last_name='"Alt", the first'))
    return root


def written(root):
    with app.open_project(root) as opened, closing(opened.open_tenant("acme").open_warehouse()) as warehouse:
        return publish_by_name(opened, warehouse, "out").split(" written")[0]


def stored(root, table):
    with (
        app.open_project(root) as opened,
        closing(opened.open_tenant("acme").open_warehouse(read_only=True)) as warehouse,
    ):
        return warehouse.rows(f"SELECT * FROM silver.{table} ORDER BY ALL")


def current(url):
    with closing(open_store(f"{url}/acme")) as store:
        found = store.read("current.json")
        return json.loads(found.body) if found else None


def rows_of(url, table, told):
    """The rows of a table in a state, as a reader finds them by `current.json`."""
    entry = told["tables"][table]
    with closing(open_store(f"{url}/acme")) as store, duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        if told["format"] == "delta":
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
        read = {"csv": "read_csv(?, allow_quoted_nulls = false)", "parquet": "read_parquet(?)"}[told["format"]]
        return db.execute(f"SELECT * FROM {read} ORDER BY ALL", [files]).fetchall()


OUTSIDE = ("folder-delta", "folder-parquet", "bucket-delta", "bucket-parquet", "bucket-csv")
IN_AZURE = [pytest.param(f"container-{name}", marks=pytest.mark.azure) for name in ("delta", "parquet")]


@pytest.fixture(params=[*OUTSIDE, *IN_AZURE])
def outside(request, tmp_path):
    """A place and a format."""
    place, file_format = request.param.split("-")
    return str(tmp_path / "out") if place == "folder" else request.getfixturevalue(place) + "/out", file_format


def test_a_place_holds_what_the_warehouse_holds_and_a_replay_writes_nothing(tmp_path, outside):
    url, file_format = outside
    root = shop(tmp_path, url, file_format)
    assert written(root) == "2 of 2 tables"
    told = current(url)
    assert (told["publication"], told["layer"], told["format"]) == ("out", "silver", file_format)
    for table in ("contact", "contact_log"):
        assert rows_of(url, table, told) == stored(root, table)
    assert written(root) == "0 of 2 tables"
    assert current(url) == told


def test_only_what_changed_is_written_again(tmp_path, outside):
    url, file_format = outside
    root = shop(tmp_path, url, file_format)
    written(root)
    before = current(url)["tables"]
    # The same again, seen later: the log grows, and no version of the contact does.
    remember(root, said("psa:1", "2026-02-01", **ANNA, first_name="Anna", last_name='"Alt", the first'))
    assert written(root) == "1 of 2 tables"
    told = current(url)
    if file_format == "delta":
        assert (before["contact"]["version"], told["tables"]["contact"]["version"]) == (0, 0)
        assert told["tables"]["contact_log"]["version"] == 1
    elif url.startswith(("s3:", "abfss:")):
        assert told["tables"]["contact"] == before["contact"]
    assert rows_of(url, "contact_log", told) == stored(root, "contact_log")


def test_a_reader_who_looked_before_still_finds_its_files_and_an_hour_later_they_go(tmp_path, bucket, monkeypatch):
    root = shop(tmp_path, bucket, "parquet")
    written(root)
    before = current(bucket)
    seen = rows_of(bucket, "contact", before)
    remember(root, said("psa:1", "2026-02-01", **ANNA, first_name="Anna", last_name="Neu"))
    written(root)
    assert rows_of(bucket, "contact", before) == seen
    assert len(rows_of(bucket, "contact", current(bucket))) == 2
    with closing(open_store(f"{bucket}/acme")) as store:
        store.write(".versions/dead/contact/part-0.parquet", b"left by a run that was killed")
        monkeypatch.setattr(published_bucket, "GRACE", published_bucket.GRACE * 0)
        written(root)
        assert len(store.list(".versions/")) == 2
    assert len(rows_of(bucket, "contact", current(bucket))) == 2


def test_a_table_that_is_published_no_more_goes(tmp_path):
    url = str(tmp_path / "out")
    root = shop(tmp_path, url, "delta")
    written(root)
    path = root / "headwater.yaml"
    path.write_text(path.read_text().replace("tables: [contact, contact_log]", "tables: [contact]"))
    assert written(root) == "0 of 1 tables"
    assert sorted(file.name for file in (tmp_path / "out" / "acme").iterdir()) == ["contact", "current.json"]


def test_files_and_delta_tables_do_not_share_a_place(tmp_path):
    url = str(tmp_path / "out")
    root = shop(tmp_path, url, "delta")
    written(root)
    path = root / "headwater.yaml"
    text = path.read_text()
    path.write_text(text.replace("format: delta", "format: csv"))
    with pytest.raises(WarehouseError, match="another format"):
        written(root)
    path.write_text(text.replace("out'", "other'").replace("format: delta", "format: csv"))
    written(root)
    path.write_text(text.replace("out'", "other'"))
    with pytest.raises(WarehouseError, match="another format"):
        written(root)


def test_an_erased_tenant_is_published_no_more(tmp_path, outside):
    url, file_format = outside
    root = shop(tmp_path, url, file_format)
    written(root)
    erase(root)
    with closing(open_store(f"{url}/acme")) as store:
        assert store.list("") == []


def test_a_warehouse_of_files_publishes_too(tmp_path, outside):
    url, file_format = outside
    root = shop(tmp_path, url, file_format, warehouse="{kind: files, url: tables}")
    assert written(root) == "2 of 2 tables"
    assert written(root) == "0 of 2 tables"
    assert rows_of(url, "contact", current(url)) == stored(root, "contact")
    remember(root, said("psa:1", "2026-02-01", **ANNA, first_name="Anna", last_name="Neu"))
    assert written(root) == "2 of 2 tables"
    assert rows_of(url, "contact", current(url)) == stored(root, "contact")


def test_a_reader_at_any_moment_sees_one_whole_state(tmp_path, outside):
    url, file_format = outside
    root = shop(tmp_path, url, file_format)
    written(root)
    seen, stop = [], threading.Event()

    with (
        app.open_project(root) as opened,
        closing(opened.open_tenant("acme").open_warehouse(read_only=True)) as warehouse,
    ):
        places = {
            table: [column.name for column in warehouse.describe("silver", table)].index("last_name")
            for table in ("contact", "contact_log")
        }

    def look():
        while not stop.is_set():
            told = current(url)
            names = [{row[at] for row in rows_of(url, table, told)} for table, at in places.items()]
            seen.append((told["state"], *map(frozenset, names)))

    reader = threading.Thread(target=look)
    reader.start()
    for day in range(2, 8):
        remember(root, said("psa:1", f"2026-01-{day:02}", **ANNA, first_name="Anna", last_name=f"Day {day}"))
        written(root)
    stop.set()
    reader.join()
    assert len({state for state, *_ in seen}) > 1
    assert all(one == other for _, one, other in seen)


SCRIPT = """
import sys
from pathlib import Path
from tests.publish.builders import publish_by_name
from tests.run.inspect.past import erase, remember, said
from tests.publish.test_targets import ANNA, written
root = Path(sys.argv[1])
print("open", flush=True)
for day in range(int(sys.argv[2]), 29):
    remember(root, said("psa:1", f"2026-02-{day:02}", **ANNA, first_name="Anna", last_name=f"Day {day}"))
    written(root)
"""


@pytest.mark.slow
@pytest.mark.parametrize("outside", ["folder-delta", "bucket-parquet"], indirect=True)
def test_killed_at_any_moment_readers_have_a_whole_state_and_the_next_run_goes_on(tmp_path, outside):
    url, file_format = outside
    root = shop(tmp_path, url, file_format)
    written(root)
    chance = random.Random(11)
    for number in range(3):
        run = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(root), str(1 + 6 * number)], stdout=subprocess.PIPE, text=True
        )
        assert run.stdout.readline() == "open\n"
        time.sleep(chance.uniform(0.05, 1.0))
        run.send_signal(signal.SIGKILL)
        run.communicate()
        told = current(url)
        for table in ("contact", "contact_log"):
            assert len(rows_of(url, table, told)) == told["tables"][table]["rows"]
    written(root)
    told = current(url)
    for table in ("contact", "contact_log"):
        assert rows_of(url, table, told) == stored(root, table)


def test_the_recipe_of_the_guide_reads_one_state(tmp_path, monkeypatch):
    """As it stands in docs/guides/publish.md, for another table."""
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "publish.md").read_text()
    recipe = guide[guide.index("SET VARIABLE") : guide.index("```\n\npandas")].replace("fact_time_entry", "contact")
    root = shop(tmp_path, str(tmp_path / "published"), "parquet")
    written(root)
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as db:
        found = db.execute(recipe).fetchall()
    assert found == stored(root, "contact")
