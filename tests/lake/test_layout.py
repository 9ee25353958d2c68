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


def test_the_files_of_a_batch_are_below_its_tenant(lake, batch):
    path = lake.build_batch_path("raw", batch, ".jsonl.zst")
    assert path == f"acme/raw/psa/tickets/{batch.id}.jsonl.zst"
    assert lake.locate(path) == f"{lake.store.url}/{path}"


def test_a_file_can_be_read_listed_and_removed(lake, batch):
    path = lake.build_batch_path("raw", batch, ".jsonl.zst")
    assert lake.read_size(path) is None
    lake.write(path, b"abc")
    assert (lake.read(path), lake.read_size(path), lake.list("acme")) == (b"abc", 3, [path])
    assert Path(lake.fetch(path)).read_bytes() == b"abc"
    lake.write(path, b"other")
    assert Path(lake.fetch(path)).read_bytes() == b"other"
    lake.release(path)
    assert Path(lake.fetch(path)).read_bytes() == b"other"
    with lake.open(path) as file:
        assert file.read() == b"other"
    lake.remove(path)
    lake.remove(path)
    assert lake.list("acme/raw") == []


def test_the_files_of_a_batch_are_listed_without_those_of_others(lake, batch):
    other = replace(batch, id=f"{batch.id}9")
    paths = [lake.build_batch_path("bronze", batch, suffix) for suffix in (".parquet", ".retry-1.parquet")]
    for path in (
        *paths,
        lake.build_batch_path("bronze", other, ".parquet"),
        lake.build_batch_path("quarantine", batch, ".jsonl.zst"),
    ):
        lake.write(path, b"x")
    lake.write(lake.build_batch_path("bronze", batch, ".parts") + "/1", b"x")
    Path(lake.prepare_draft(lake.build_batch_path("bronze", batch, ".retry-2.parquet"))).write_bytes(b"half")
    assert lake.list_batch("bronze", batch) == tuple(paths)
    assert lake.list_batch("raw", batch) == ()


def test_a_file_that_was_landed_again_has_its_new_content(lake, batch):
    path = lake.build_batch_path("bronze", batch, ".parquet")
    for body in (b"one", b"two"):
        draft = lake.prepare_draft(path)
        Path(draft).write_bytes(body)
        lake.adopt(draft, path)
        assert Path(lake.fetch(path)).read_bytes() == body


def test_page_files_are_joined_in_order_and_stay(lake, batch):
    parts = [lake.build_batch_path("raw", batch, ".parts") + f"/{n:06d}.jsonl.zst" for n in (1, 2)]
    for part, body in zip(parts, (b"one", b"two"), strict=True):
        lake.write(part, body)
    whole = lake.build_batch_path("raw", batch, ".jsonl.zst")
    lake.join(parts, whole)
    assert lake.read(whole) == b"onetwo"
    assert lake.list(lake.build_batch_path("raw", batch, ".parts")) == parts
    lake.clear(lake.build_batch_path("raw", batch, ".parts"))
    lake.clear(lake.build_batch_path("raw", batch, ".parts"))
    assert lake.list("acme") == [whole]


def test_a_draft_is_visible_only_after_it_is_adopted(lake, batch):
    path = lake.build_batch_path("bronze", batch, ".parquet")
    draft = lake.prepare_draft(path)
    Path(draft).write_bytes(b"x")
    assert lake.list("acme") == []
    assert lake.read_size(path) is None
    lake.adopt(draft, path)
    assert lake.list("acme") == [path]


def test_leftovers_of_a_killed_writer_are_not_listed_and_can_be_removed(folder, batch):
    lake = folder
    path = lake.build_batch_path("raw", batch, ".jsonl.zst")
    lake.write(path, b"kept")
    Path(lake.prepare_draft(lake.build_batch_path("bronze", batch, ".parquet"))).write_bytes(b"half")
    spill = Path(lake.prepare_draft(path) + ".spill.tmp")
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
    for ask in (
        lake.read,
        lake.read_size,
        lake.remove,
        lake.clear,
        lake.list,
        lake.prepare_draft,
        lake.fetch,
        lake.release,
    ):
        with pytest.raises(LakeError):
            ask(path)


def test_a_batch_of_another_tenant_has_no_path(lake, batch):
    with pytest.raises(LakeError, match="other"):
        TenantLake(lake.store, "other").build_batch_path("raw", batch, ".x")
    with pytest.raises(LakeError):
        lake.build_batch_path("elsewhere", batch, ".x")
    with pytest.raises(LakeError):
        lake.build_batch_path("raw", batch, "/../x")


def test_a_tenant_needs_a_valid_name(tmp_path):
    with pytest.raises(ValueError, match="not a valid name"):
        open_lake(str(tmp_path), "../acme")


def test_a_missing_file_is_an_error_with_its_location(lake, batch):
    with pytest.raises(LakeError) as caught:
        lake.read(lake.build_batch_path("raw", batch, ".jsonl.zst"))
    assert caught.value.where.endswith(".jsonl.zst")
    with pytest.raises(LakeError):
        lake.open(lake.build_batch_path("raw", batch, ".jsonl.zst"))
    with pytest.raises(LakeError):
        lake.join(
            [lake.build_batch_path("raw", batch, ".parts") + "/1"], lake.build_batch_path("raw", batch, ".jsonl.zst")
        )
    assert lake.list("acme") == []
    assert caught.value.details
    assert caught.value.hint


def test_a_full_disk_is_an_error_and_leaves_no_partial_file(folder, batch, monkeypatch):
    lake = folder
    path = lake.build_batch_path("raw", batch, ".jsonl.zst")
    lake.write(path, b"before")

    def full(self, body):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(LakeError) as caught:
            lake.write(path, b"after")
    assert "space" in caught.value.details
    assert "free" in caught.value.hint
    assert lake.read(path) == b"before"
    assert lake.remove_leftovers() == 0


def test_a_lake_that_is_a_file_is_an_error(tmp_path, batch):
    (tmp_path / "lake").write_text("")
    with pytest.raises(LakeError) as caught:
        open_lake(str(tmp_path / "lake"), "acme").write("acme/raw/x", b"")
    assert caught.value.message
    assert caught.value.where


def test_a_bucket_that_does_not_exist_is_an_error(object_url, batch):
    url = object_url.replace("lakehouse", "nowhere")
    lake = open_lake(url, "acme")
    with pytest.raises(LakeError) as caught:
        lake.write("acme/raw/x", b"")
    assert caught.value.where == f"{url}/acme/raw/x"
    assert "create the bucket" in caught.value.hint


def test_a_bucket_that_cannot_be_reached_is_an_error(object_url, batch, monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AZURE_STORAGE_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr("headwater.storage.object_store._RETRY_TIMEOUT", timedelta(seconds=1))
    with pytest.raises(LakeError) as caught:
        open_lake(object_url, "acme").write("acme/raw/x", b"")
    assert "network" in caught.value.hint


def test_other_schemes_are_refused():
    with pytest.raises(LakeError, match="cannot store files"):
        open_lake("gs://bucket", "acme")


def test_what_was_downloaded_goes_with_the_lake(object_url, batch):
    lake = open_lake(object_url, "acme")
    path = lake.build_batch_path("raw", batch, ".jsonl.zst")
    lake.write(path, b"x")
    local = Path(lake.fetch(path))
    del lake
    gc.collect()
    assert not local.exists()


def test_a_url_of_azure_is_accepted(monkeypatch, batch):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    lake = open_lake("abfss://files@account.dfs.core.windows.net/lake/", "acme")
    assert lake.locate("acme/x") == "abfss://files@account.dfs.core.windows.net/lake/acme/x"
