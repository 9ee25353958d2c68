from __future__ import annotations

import errno
import gc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headwater.batch import Batch, Feed, Window, create_batch
from headwater.clock import EPOCH
from headwater.errors import LakeError
from headwater.lake.layout import TenantLake, open_lake


@pytest.fixture(params=["folder", "bucket", pytest.param("container", marks=pytest.mark.azure)])
def lake(request, tmp_path: Path) -> TenantLake:
    url = str(tmp_path / "lake") if request.param == "folder" else request.getfixturevalue(request.param) + "/some/lake"
    return open_lake(url, "acme")


@pytest.fixture
def folder(tmp_path: Path) -> TenantLake:
    return open_lake(str(tmp_path / "lake"), "acme")


@pytest.fixture
def batch() -> Batch:
    feed = Feed(tenant="acme", connection="psa", resource="tickets")
    return create_batch(feed, Window(since=EPOCH, until=datetime(2026, 1, 1, tzinfo=UTC)))


def test_a_batch_has_its_place_below_its_tenant(lake, batch):
    path = lake.path("raw", batch, ".jsonl.zst")
    assert path == f"acme/raw/psa/tickets/{batch.id}.jsonl.zst"
    assert lake.location(path) == f"{lake.store.url}/{path}"


def test_what_is_written_can_be_read_listed_and_removed(lake, batch):
    path = lake.path("raw", batch, ".jsonl.zst")
    assert lake.size(path) is None
    lake.write(path, b"abc")
    assert (lake.read(path), lake.size(path), lake.list("acme")) == (b"abc", 3, [path])
    assert Path(lake.url(path)).read_bytes() == b"abc"
    lake.write(path, b"other")
    assert Path(lake.url(path)).read_bytes() == b"other"
    lake.release(path)
    assert Path(lake.url(path)).read_bytes() == b"other"
    with lake.open(path) as file:
        assert file.read() == b"other"
    lake.remove(path)
    lake.remove(path)
    assert lake.list("acme/raw") == []


def test_the_files_of_a_batch_are_listed_without_those_of_others(lake, batch):
    other = replace(batch, id=f"{batch.id}9")
    paths = [lake.path("bronze", batch, suffix) for suffix in (".parquet", ".retry-1.parquet")]
    for path in (*paths, lake.path("bronze", other, ".parquet"), lake.path("quarantine", batch, ".jsonl.zst")):
        lake.write(path, b"x")
    lake.write(lake.path("bronze", batch, ".parts") + "/1", b"x")
    Path(lake.scratch(lake.path("bronze", batch, ".retry-2.parquet"))).write_bytes(b"half")
    assert lake.list_batch("bronze", batch) == tuple(paths)
    assert lake.list_batch("raw", batch) == ()


def test_a_file_that_was_landed_again_is_read_as_it_is_now(lake, batch):
    path = lake.path("bronze", batch, ".parquet")
    for body in (b"one", b"two"):
        scratch = lake.scratch(path)
        Path(scratch).write_bytes(body)
        lake.adopt(scratch, path)
        assert Path(lake.url(path)).read_bytes() == body


def test_parts_are_joined_in_order_and_stay(lake, batch):
    parts = [lake.path("raw", batch, ".parts") + f"/{n:06d}.jsonl.zst" for n in (1, 2)]
    for part, body in zip(parts, (b"one", b"two"), strict=True):
        lake.write(part, body)
    whole = lake.path("raw", batch, ".jsonl.zst")
    lake.join(parts, whole)
    assert lake.read(whole) == b"onetwo"
    assert lake.list(lake.path("raw", batch, ".parts")) == parts
    lake.clear(lake.path("raw", batch, ".parts"))
    lake.clear(lake.path("raw", batch, ".parts"))
    assert lake.list("acme") == [whole]


def test_a_scratch_is_seen_only_once_it_is_adopted(lake, batch):
    path = lake.path("bronze", batch, ".parquet")
    scratch = lake.scratch(path)
    Path(scratch).write_bytes(b"x")
    assert lake.list("acme") == []
    assert lake.size(path) is None
    lake.adopt(scratch, path)
    assert lake.list("acme") == [path]


def test_leftovers_of_a_dead_writer_are_not_listed_and_can_be_swept(folder, batch):
    lake = folder
    path = lake.path("raw", batch, ".jsonl.zst")
    lake.write(path, b"kept")
    Path(lake.scratch(lake.path("bronze", batch, ".parquet"))).write_bytes(b"half")
    spill = Path(lake.scratch(path) + ".spill.tmp")
    spill.mkdir()
    (spill / "block").write_bytes(b"half")
    assert lake.list("acme") == [path]
    assert lake.remove_leftovers() == 2
    assert not spill.exists()
    assert lake.remove_leftovers() == 0
    assert lake.read(path) == b"kept"


@pytest.mark.parametrize(
    "path",
    [
        "other/raw/x",
        "acme/../other/raw/x",
        "acme//x",
        "acme/./x",
        "acme/raw/..",
        "/etc/passwd",
        "acme/a\x00b",
        "acme/a\nb",
    ],
)
def test_no_path_leaves_the_tenant(lake, path):
    for ask in (lake.read, lake.size, lake.remove, lake.clear, lake.list, lake.scratch, lake.url, lake.release):
        with pytest.raises(LakeError):
            ask(path)


def test_a_batch_of_another_tenant_has_no_place(lake, batch):
    with pytest.raises(LakeError, match="other"):
        TenantLake(lake.store, "other").path("raw", batch, ".x")
    with pytest.raises(LakeError):
        lake.path("elsewhere", batch, ".x")
    with pytest.raises(LakeError):
        lake.path("raw", batch, "/../x")


def test_a_tenant_is_named_as_tenants_are(tmp_path):
    with pytest.raises(ValueError, match="not a valid name"):
        open_lake(str(tmp_path), "../acme")


def test_a_missing_file_says_what_is_missing(lake, batch):
    with pytest.raises(LakeError) as told:
        lake.read(lake.path("raw", batch, ".jsonl.zst"))
    assert told.value.where.endswith(".jsonl.zst")
    with pytest.raises(LakeError):
        lake.open(lake.path("raw", batch, ".jsonl.zst"))
    with pytest.raises(LakeError):
        lake.join([lake.path("raw", batch, ".parts") + "/1"], lake.path("raw", batch, ".jsonl.zst"))
    assert lake.list("acme") == []
    assert told.value.details
    assert told.value.hint


def test_a_full_disk_is_told_and_leaves_nothing_behind(folder, batch, monkeypatch):
    lake = folder
    path = lake.path("raw", batch, ".jsonl.zst")
    lake.write(path, b"before")

    def full(self, body):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(LakeError) as told:
            lake.write(path, b"after")
    assert "space" in told.value.details
    assert "free" in told.value.hint
    assert lake.read(path) == b"before"
    assert lake.remove_leftovers() == 0


def test_a_lake_that_is_a_file_is_told(tmp_path, batch):
    (tmp_path / "lake").write_text("")
    with pytest.raises(LakeError) as told:
        open_lake(str(tmp_path / "lake"), "acme").write("acme/raw/x", b"")
    assert told.value.message
    assert told.value.where


def test_a_bucket_that_does_not_exist_is_an_error(object_url, batch):
    url = object_url.replace("lakehouse", "nowhere")
    lake = open_lake(url, "acme")
    with pytest.raises(LakeError) as told:
        lake.write("acme/raw/x", b"")
    assert told.value.where == f"{url}/acme/raw/x"
    assert "create the bucket" in told.value.hint


def test_a_bucket_that_cannot_be_reached_is_an_error(object_url, batch, monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AZURE_STORAGE_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr("headwater.storage.object_store._PATIENCE", timedelta(seconds=1))
    with pytest.raises(LakeError) as told:
        open_lake(object_url, "acme").write("acme/raw/x", b"")
    assert "network" in told.value.hint


def test_no_other_scheme_is_a_lake():
    with pytest.raises(LakeError, match="cannot store files"):
        open_lake("gs://bucket", "acme")


def test_what_was_downloaded_goes_with_the_lake(object_url, batch):
    lake = open_lake(object_url, "acme")
    path = lake.path("raw", batch, ".jsonl.zst")
    lake.write(path, b"x")
    local = Path(lake.url(path))
    del lake
    gc.collect()
    assert not local.exists()


def test_an_address_in_azure_is_understood(monkeypatch, batch):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    lake = open_lake("abfss://files@account.dfs.core.windows.net/lake/", "acme")
    assert lake.location("acme/x") == "abfss://files@account.dfs.core.windows.net/lake/acme/x"
