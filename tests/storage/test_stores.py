"""A folder and a bucket do the same: whole files, one winner, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from headwater.errors import StoreError
from headwater.storage.endpoint import allows_plain_http
from headwater.storage.lock import Lock
from headwater.storage.url import open_store, to_absolute


@pytest.fixture(params=["folder", "bucket", pytest.param("container", marks=pytest.mark.azure)])
def store(request, tmp_path):
    is_folder = request.param == "folder"
    url = str(tmp_path / "place") if is_folder else request.getfixturevalue(request.param) + "/some/place"
    with closing(open_store(url)) as opened:
        yield opened


def test_what_is_written_is_read_and_another_one_replaces_it(store):
    assert store.read("a/b.json") is None
    store.write("a/b.json", b"one")
    assert store.read("a/b.json").body == b"one"
    store.write("a/b.json", b"")
    assert store.read("a/b.json").body == b""


def test_of_two_that_know_the_same_content_one_wins(store):
    tag = store.swap("p.json", b"one", expected_tag=None)
    assert tag == store.read("p.json").tag
    assert store.swap("p.json", b"two", expected_tag=None) is None
    assert store.swap("p.json", b"two", expected_tag=tag)
    assert store.swap("p.json", b"three", expected_tag=tag) is None
    assert store.read("p.json").body == b"two"


def test_a_large_file_is_filled_on_this_machine_and_is_there_once_it_is_settled(store):
    body = b"0123456789abcdef" * 800_000  # more than one part
    store.local_path("t/x.bin").write_bytes(body)
    store.commit("t/x.bin")
    with closing(open_store(store.url)) as other:
        assert other.fetch("t/x.bin").read_bytes() == body


def test_files_are_listed_and_removed_with_all_that_is_below_a_folder(store):
    for path in ("a/1", "a/2", "b/1"):
        store.write(path, b"x")
    assert [found.path for found in store.list("a/")] == ["a/1", "a/2"]
    store.remove("a/1")
    store.remove("a/1")
    assert [found.path for found in store.list("")] == ["a/2", "b/1"]
    store.clear("a/")
    assert [found.path for found in store.list("")] == ["b/1"]
    store.clear("nothing/")


def test_a_draft_becomes_the_file_once_it_is_adopted(store):
    for body in (b"one", b"two"):
        draft = store.draft("a/x.bin")
        draft.write_bytes(body)
        before = store.read("a/x.bin")
        assert before is None or before.body != body
        store.adopt(draft, "a/x.bin")
        assert not draft.exists()
        assert (store.read("a/x.bin").body, store.size("a/x.bin")) == (body, 3)
    assert store.size("a/y.bin") is None
    store.draft("a/x.bin").write_bytes(b"half")
    assert store.list_names("a", start="a/x") == ("a/x.bin",)
    store.remove_drafts("a")
    assert [found.path for found in store.list("")] == ["a/x.bin"]


def test_the_names_that_begin_alike_are_listed_by_themselves(store):
    for number in range(4):
        for name in (f"f/b{number}.x", f"f/b{number}.y", f"f/b{number}.parts/1"):
            store.write(name, b"x", durable=False)
    assert store.list_names("f", start="f/b2.") == ("f/b2.x", "f/b2.y")
    assert store.list_names("f", start="f/b9.") == store.list_names("g", start="g/b.") == ()


def test_many_threads_that_want_one_file_get_it_whole(store):
    body = b"0123456789abcdef" * 200_000
    store.write("a/x.bin", body)
    with closing(open_store(store.url)) as other, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: other.fetch("a/x.bin").read_bytes(), range(8)))
        assert set(found) == {body}
        other.release("a/x.bin")
        assert other.fetch("a/x.bin").read_bytes() == body


def test_a_bucket_that_does_not_exist_is_an_error(object_url):
    url = object_url.replace("lakehouse", "nowhere")
    store = open_store(url)
    with pytest.raises(StoreError, match="cannot be written") as caught:
        store.write("a", b"x")
    assert f"{url}/a" in caught.value.where
    assert "create the bucket or container" in caught.value.hint


def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        open_store(str(tmp_path / "file")).write("a", b"x")


def test_other_schemes_are_refused_and_folders_count_from_the_root(tmp_path):
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
    assert allows_plain_http(url) is is_allowed
    assert allows_plain_http(other) is False


def test_a_lock_keeps_others_out_and_dies_with_its_process(tmp_path):
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
