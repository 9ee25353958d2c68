"""A folder and a bucket behave the same: whole files, one winner of concurrent writes, no leftovers."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from headwater.errors import StoreError
from headwater.storage.endpoint import is_plain_http_allowed
from headwater.storage.lock import Lock
from headwater.storage.url import open_store, to_absolute


@pytest.fixture(params=["folder", "bucket", pytest.param("container", marks=pytest.mark.azure)])
def store(request, tmp_path):
    is_folder = request.param == "folder"
    url = str(tmp_path / "place") if is_folder else request.getfixturevalue(request.param) + "/some/place"
    with closing(open_store(url)) as opened:
        yield opened


def test_a_file_is_written_read_and_replaced(store):
    assert store.read("a/b.json") is None
    store.write("a/b.json", b"one")
    assert store.read("a/b.json").body == b"one"
    store.write("a/b.json", b"")
    assert store.read("a/b.json").body == b""


def test_one_of_two_writers_with_the_same_tag_wins(store):
    tag = store.swap("p.json", b"one", expected_tag=None)
    assert tag == store.read("p.json").tag
    assert store.swap("p.json", b"two", expected_tag=None) is None
    assert store.swap("p.json", b"two", expected_tag=tag)
    assert store.swap("p.json", b"three", expected_tag=tag) is None
    assert store.read("p.json").body == b"two"


def test_a_large_file_is_written_locally_and_exists_after_the_commit(store):
    body = b"0123456789abcdef" * 800_000  # more than one part
    store.prepare_local_path("t/x.bin").write_bytes(body)
    store.commit("t/x.bin")
    with closing(open_store(store.url)) as other:
        assert other.fetch("t/x.bin").read_bytes() == body


def test_files_are_listed_and_removed_by_folder(store):
    for path in ("a/1", "a/2", "b/1"):
        store.write(path, b"x")
    assert [entry.path for entry in store.list("a/")] == ["a/1", "a/2"]
    store.remove("a/1")
    store.remove("a/1")
    assert [entry.path for entry in store.list("")] == ["a/2", "b/1"]
    store.clear("a/")
    assert [entry.path for entry in store.list("")] == ["b/1"]
    store.clear("nothing/")


def test_a_draft_becomes_the_file_when_it_is_adopted(store):
    for body in (b"one", b"two"):
        draft = store.prepare_draft("a/x.bin")
        draft.write_bytes(body)
        before = store.read("a/x.bin")
        assert before is None or before.body != body
        store.adopt(draft, "a/x.bin")
        assert not draft.exists()
        assert (store.read("a/x.bin").body, store.read_size("a/x.bin")) == (body, 3)
    assert store.read_size("a/y.bin") is None
    store.prepare_draft("a/x.bin").write_bytes(b"half")
    assert store.list_names("a", start="a/x") == ("a/x.bin",)
    store.remove_drafts("a")
    assert [entry.path for entry in store.list("")] == ["a/x.bin"]


def test_files_with_a_common_start_are_listed(store):
    for number in range(4):
        for name in (f"f/b{number}.x", f"f/b{number}.y", f"f/b{number}.parts/1"):
            store.write(name, b"x", durable=False)
    assert store.list_names("f", start="f/b2.") == ("f/b2.x", "f/b2.y")
    assert store.list_names("f", start="f/b9.") == store.list_names("g", start="g/b.") == ()


def test_many_threads_fetch_one_file_completely(store):
    body = b"0123456789abcdef" * 200_000
    store.write("a/x.bin", body)
    with closing(open_store(store.url)) as other, ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(lambda _: other.fetch("a/x.bin").read_bytes(), range(8)))
        assert set(bodies) == {body}
        other.release("a/x.bin")
        assert other.fetch("a/x.bin").read_bytes() == body


def test_a_bucket_that_does_not_exist_is_an_error(object_url):
    url = object_url.replace("lakehouse", "nowhere")
    store = open_store(url)
    with pytest.raises(StoreError, match="cannot be written") as caught:
        store.write("a", b"x")
    assert f"{url}/a" in caught.value.where
    assert "create the bucket or container" in caught.value.hint


def test_a_folder_that_is_not_writable_is_an_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        open_store(str(tmp_path / "file")).write("a", b"x")


def test_other_schemes_are_refused_and_folders_are_relative_to_the_root(tmp_path):
    with pytest.raises(StoreError, match="cannot store files"):
        open_store("ftp://host/x")
    assert to_absolute("out", tmp_path) == str(tmp_path / "out")
    assert to_absolute("s3://b/x", tmp_path) == "s3://b/x"


@pytest.mark.parametrize(
    ("endpoint", "is_allowed"),
    [
        ("http://127.0.0.1:9", True),
        ("http://localhost", True),
        ("http://store.lan", False),
        ("https://127.0.0.1", False),
    ],
)
@pytest.mark.parametrize(
    ("variable", "url", "other"),
    [
        ("AWS_ENDPOINT_URL", "s3://lakehouse/x", "abfss://c@a.dfs.core.windows.net"),
        ("AZURE_STORAGE_ENDPOINT", "abfss://c@a.dfs.core.windows.net/x", "s3://lakehouse"),
    ],
)
def test_plain_http_is_allowed_to_the_local_machine_only(monkeypatch, endpoint, is_allowed, variable, url, other):
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, endpoint)
    assert is_plain_http_allowed(url) is is_allowed
    assert is_plain_http_allowed(other) is False


def test_a_lock_is_exclusive_and_ends_with_its_process(tmp_path):
    hold = f"import sys; from pathlib import Path; from headwater.storage.lock import Lock; Lock(Path({str(tmp_path)!r}, 'l'))"
    child = subprocess.Popen(
        [sys.executable, "-c", f"{hold}; print('held', flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "held\n"
    with pytest.raises(StoreError, match="in use") as caught:
        Lock(tmp_path / "l")
    assert caught.value.details == f"held by process {child.pid}"
    child.kill()
    child.communicate()
    Lock(tmp_path / "l").release()
