"""Tables as files in a bucket, by real HTTP: the same rows, one winner, nothing lost."""

from __future__ import annotations

from contextlib import closing

import pytest

from headwater.errors import StoreError, WarehouseError
from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.history.oracle import build_history
from headwater.warehouse.files.engine import Files
from tests.silver.builders import COLUMNS, THING, make_event, merge_events, read_versions
from tests.warehouse.files.test_engine import FORMATS, ROWS, fill, list_ids, read_rows


def open_files(url, file_format="parquet", **more):
    return Files("acme", url, file_format, threads=1, **more)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_bucket_holds_what_was_put_in(object_url, file_format):
    with closing(open_files(object_url, file_format)) as warehouse:
        fill(warehouse)
        warehouse.delete("silver", "thing", "id = 2")
        assert len(read_rows(warehouse)) == len(ROWS) - 1
    with closing(open_files(f"{object_url}/", file_format, read_only=True)) as warehouse:
        assert read_rows(warehouse) == [row for row in ROWS if row[0] != 2]
        with pytest.raises(WarehouseError):
            warehouse.rows("SELECT * FROM '/etc/passwd'")


@pytest.mark.parametrize("file_format", FORMATS)
def test_of_two_writers_the_second_is_refused_and_nothing_is_lost(object_url, file_format):
    with closing(open_files(object_url, file_format)) as one, closing(open_files(object_url, file_format)) as other:
        fill(one)
        with pytest.raises(WarehouseError, match="another writer changed these tables in the meantime") as caught:
            fill(other)
        assert "no longer at state (none)" in caught.value.details
        assert read_rows(one) == ROWS
        one.delete("silver", "thing", "id = 1")
    with closing(open_files(object_url, file_format)) as after:
        assert read_rows(after) == ROWS[1:]


def test_two_that_race_for_a_commit_never_both_win(object_url):
    with closing(open_files(object_url)) as warehouse:
        fill(warehouse)
    won = 0
    for number in range(5):
        with closing(open_files(object_url)) as one, closing(open_files(object_url)) as other:
            for writer in (one, other):
                try:
                    writer.append("silver", "thing", ("id",), f"SELECT {100 + number}")
                    won += 1
                except WarehouseError:
                    pass
    assert won == 5
    with closing(open_files(object_url, read_only=True)) as after:
        assert [number for number in list_ids(after) if 100 <= number < 200] == [100, 101, 102, 103, 104]


@pytest.mark.parametrize(
    ("file_format", "place"),
    [
        ("csv", "folder"),
        ("delta", "folder"),
        ("parquet", "bucket"),
        pytest.param("parquet", "container", marks=pytest.mark.azure),
        pytest.param("delta", "container", marks=pytest.mark.azure),
    ],
)
def test_history_is_kept_in_every_format_and_in_a_bucket(tmp_path, request, file_format, place):
    url = str(tmp_path) if place == "folder" else request.getfixturevalue(place)
    events = [
        [make_event("p:1", 10, name="a", size=1), make_event("p:2", 10, name="", note="n")],
        [make_event("p:1", 5, name="late"), make_event("p:2", 12, operation="D")],
        [make_event("p:2", 20, name="back"), make_event("p:1", 10, name="a", size=1), make_event("p:1", 15, name=None)],
    ]
    for batch in events:
        with closing(open_files(url, file_format)) as warehouse:
            migrate_tables(warehouse, THING)
            merge_events(warehouse, batch)
            assert merge_events(warehouse, batch).events == 0
    with closing(open_files(url, file_format, read_only=True)) as warehouse:
        wanted = build_history([event for batch in events for event in batch], COLUMNS, THING.overwritten)
        assert read_versions(warehouse) == wanted


def test_a_bucket_that_cannot_be_reached_is_an_error(object_url, monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AZURE_STORAGE_ENDPOINT"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")
    with pytest.raises(StoreError, match="cannot be") as caught:
        open_files(object_url)
    assert object_url in caught.value.where
