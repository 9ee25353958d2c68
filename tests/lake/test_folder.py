from __future__ import annotations

import errno
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headwater.batch import Batch, Feed, Window, create_batch
from headwater.clock import EPOCH
from headwater.errors import LakeError
from headwater.lake.folder import FolderLake


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path, "acme")


@pytest.fixture
def batch() -> Batch:
    feed = Feed(tenant="acme", connection="psa", resource="tickets")
    return create_batch(feed, Window(since=EPOCH, until=datetime(2026, 1, 1, tzinfo=UTC)))


def test_a_batch_has_its_place_below_its_tenant(lake, batch):
    path = lake.path("raw", batch, ".jsonl.zst")
    assert path == f"acme/raw/psa/tickets/{batch.id}.jsonl.zst"
    assert lake.url(path) == str(lake.root / path)


def test_what_is_written_can_be_read_listed_and_removed(lake, batch):
    path = lake.path("raw", batch, ".jsonl.zst")
    assert lake.size(path) is None
    lake.write(path, b"abc")
    assert (lake.read(path), lake.size(path), lake.list("acme")) == (b"abc", 3, [path])
    lake.remove(path)
    lake.remove(path)
    assert lake.list("acme/raw") == []


def test_parts_are_joined_in_order_and_stay(lake, batch):
    parts = [lake.path("raw", batch, ".parts") + f"/{n:06d}.jsonl.zst" for n in (1, 2)]
    for part, body in zip(parts, (b"one", b"two"), strict=True):
        lake.write(part, body)
    whole = lake.path("raw", batch, ".jsonl.zst")
    lake.join(parts, whole)
    assert lake.read(whole) == b"onetwo"
    assert lake.list(lake.path("raw", batch, ".parts")) == parts
    lake.remove(lake.path("raw", batch, ".parts"))
    assert lake.list("acme") == [whole]


def test_a_scratch_is_seen_only_once_it_is_adopted(lake, batch):
    path = lake.path("bronze", batch, ".parquet")
    scratch = lake.scratch(path)
    Path(scratch).write_bytes(b"x")
    assert lake.list("acme") == []
    assert lake.size(path) is None
    lake.adopt(scratch, path)
    assert lake.list("acme") == [path]


def test_leftovers_of_a_dead_writer_are_not_listed_and_can_be_swept(lake, batch):
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
    for ask in (lake.read, lake.size, lake.remove, lake.list, lake.scratch):
        with pytest.raises(LakeError):
            ask(path)


def test_a_batch_of_another_tenant_has_no_place(lake, batch):
    with pytest.raises(LakeError, match="other"):
        FolderLake(lake.root, "other").path("raw", batch, ".x")
    with pytest.raises(LakeError):
        lake.path("elsewhere", batch, ".x")
    with pytest.raises(LakeError):
        lake.path("raw", batch, "/../x")


def test_a_tenant_is_named_as_tenants_are(tmp_path):
    with pytest.raises(ValueError, match="not a name"):
        FolderLake(tmp_path, "../acme")


def test_a_missing_file_says_what_is_missing(lake, batch):
    with pytest.raises(LakeError) as told:
        lake.read(lake.path("raw", batch, ".jsonl.zst"))
    assert told.value.where.endswith(".jsonl.zst")
    assert told.value.details
    assert told.value.hint


def test_a_full_disk_is_told_and_leaves_nothing_behind(lake, batch, monkeypatch):
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
        FolderLake(tmp_path / "lake", "acme").write("acme/raw/x", b"")
    assert told.value.message
    assert told.value.where
