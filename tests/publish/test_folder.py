"""What is published is whole at every moment, written only where it is new, and let go of after two states."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from headwater.errors import WarehouseError
from headwater.publish.folder import PublishedFolder


def build_writer(text, calls):
    def fill(table, path):
        calls.append(table)
        path.write_text(f"{table} {text}")
        return len(text)

    return fill


def publish(place, state, text, **digests):
    calls = []
    place.publish_state(state, {"publication": "p"}, digests, fill=build_writer(text, calls))
    place.prune()
    return calls


@pytest.fixture
def place(tmp_path):
    return PublishedFolder(folder=tmp_path / "out" / "acme", suffix=".csv")


def list_states(place):
    return sorted(path.name for path in (place.folder / ".versions").iterdir())


def test_readers_find_each_table_by_its_name(place):
    assert place.read_manifest() == {}
    assert publish(place, "s1", "one", dim_a="1", fact_b="1") == ["dim_a", "fact_b"]
    assert (place.folder / "dim_a" / "part-0.csv").read_text() == "dim_a one"
    manifest = json.loads((place.folder / "_manifest.json").read_text())
    assert manifest["state"] == "s1"
    assert manifest["tables"]["fact_b"] == {"files": [".versions/s1/fact_b/part-0.csv"], "rows": 3, "digest": "1"}
    assert json.loads((place.folder / "current.json").read_text()) == manifest


def test_a_table_that_did_not_change_is_not_written_again_and_still_there(place):
    publish(place, "s1", "one", dim_a="1", fact_b="1")
    assert publish(place, "s2", "two", dim_a="1", fact_b="2") == ["fact_b"]
    assert (place.folder / "dim_a" / "part-0.csv").read_text() == "dim_a one"
    assert (place.folder / "fact_b" / "part-0.csv").read_text() == "fact_b two"
    assert place.read_manifest()["tables"]["dim_a"]["rows"] == 3


def test_a_linked_file_that_somebody_removed_is_written_again(place):
    publish(place, "s1", "one", dim_a="1", fact_b="1")
    (place.folder / "dim_a" / "part-0.csv").unlink()
    assert publish(place, "s2", "two", dim_a="1", fact_b="2") == ["dim_a", "fact_b"]


def test_the_last_two_states_are_kept_and_a_table_that_is_no_more_goes(place):
    for number in range(1, 5):
        publish(place, f"s{number}", "x", dim_a=str(number), fact_b=str(number))
    assert list_states(place) == ["s3", "s4"]
    publish(place, "s5", "x", dim_a="4")
    assert list_states(place) == ["s4", "s5"]
    assert sorted(path.name for path in place.folder.iterdir()) == [
        ".versions",
        "_manifest.json",
        "current",
        "current.json",
        "dim_a",
    ]


def test_a_write_that_fails_leaves_readers_what_they_have_and_the_next_clears_it_away(place):
    publish(place, "s1", "one", dim_a="1", fact_b="1")

    def raise_disk_full(table, path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(WarehouseError, match="readers keep the previous state") as caught:
        place.publish_state("s2", {}, {"dim_a": "2", "fact_b": "2"}, fill=raise_disk_full)
    assert "No space left" in caught.value.details
    assert (place.folder / "dim_a" / "part-0.csv").read_text() == "dim_a one"
    assert list_states(place) == ["s1", "s2.tmp"]
    publish(place, "s3", "three", dim_a="3", fact_b="3")
    assert list_states(place) == ["s1", "s3"]


def test_one_that_was_killed_between_its_last_two_renames_is_overtaken(place, monkeypatch):
    publish(place, "s1", "one", dim_a="1")
    with monkeypatch.context() as patched:
        patched.setattr("headwater.publish.folder._set_link", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            place.publish_state("s2", {}, {"dim_a": "2"}, fill=build_writer("two", []))
    assert (place.folder / "dim_a" / "part-0.csv").read_text() == "dim_a one"
    assert publish(place, "s3", "three", dim_a="2") == ["dim_a"]
    assert (place.folder / "dim_a" / "part-0.csv").read_text() == "dim_a three"
    assert list_states(place) == ["s1", "s3"]


def test_a_folder_in_the_way_is_told_and_not_removed(place):
    mine = place.folder / "dim_a" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("keep")
    with pytest.raises(WarehouseError, match="cannot be written"):
        publish(place, "s1", "one", dim_a="1")
    assert mine.read_text() == "keep"


def test_a_reader_at_any_moment_sees_one_whole_state(place):
    publish(place, "s000", "000", **dict.fromkeys(("a", "b", "c"), "000"))
    seen, stop = set(), threading.Event()

    def read_states():
        while not stop.is_set():
            state = (place.folder / "current").resolve()
            try:
                texts = {(state / table / "part-0.csv").read_text().split()[1] for table in "abc"}
            except FileNotFoundError:
                # Two more states came meanwhile; a reader that slow looks again.
                continue
            seen.add(frozenset(texts))
            assert Path(place.folder / "a" / "part-0.csv").read_text()

    readers = [threading.Thread(target=read_states) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 60):
        publish(place, f"s{number:03}", f"{number:03}", **dict.fromkeys(("a", "b", "c"), f"{number:03}"))
    stop.set()
    for reader in readers:
        reader.join()
    assert len(seen) > 1
    assert all(len(texts) == 1 for texts in seen)
