"""What reads prove: what is there, what is gone, and when."""

from __future__ import annotations

import pytest

from tests.e2e.record_service import CHANGES, SNAPSHOT, SWEEP, RecordShop, Service, count_findings, record, serve


@pytest.fixture
def service():
    with serve(Service()) as made:
        yield made


@pytest.fixture
def shop(tmp_path, service):
    """Makes a project of some resources."""

    def make(**resources):
        return RecordShop(tmp_path / "shelf", service, **resources)

    return make


def records(*idents, **more):
    return [record(ident, **more) for ident in idents]


def keys(project, entity="thing"):
    return sorted(key for (key,) in project.query(f"SELECT thing_id FROM silver.{entity}_current"))


def test_what_one_sweep_misses_and_the_next_shows_is_open_again(shop, service):
    """Its stamp never moves, so nothing but the sweep tells of it."""
    project = shop(a={"cursor": CHANGES, "deletes": SWEEP})
    project.entity("thing", ["a"])
    project.on(3, a=records(1, 2, 3, 4, 5, 6, day=2))
    service.hidden = {1}
    project.on(4)
    assert keys(project) == [2, 3, 4, 5, 6]
    service.hidden = set()
    project.on(5)
    assert project.lives()[:2] == [("psa:1", "x", 2, 4), ("psa:1", "x", 5, None)]
    assert project.on(6)["written"] == {}
    before = project.read_tables(layers=("silver",))
    project("rebuild")
    assert project.read_tables(layers=("silver",)) == before


def test_a_snapshot_that_shows_what_the_last_one_missed_opens_it_again(shop):
    project = shop(a={})
    project.entity("thing", ["a"])
    everyone = records(1, 2, 3, day=1)
    project.on(3, a=everyone)
    project.on(4, a=everyone[1:])
    project.on(5, a=everyone)
    assert project.lives()[:2] == [("psa:1", "x", 1, 4), ("psa:1", "x", 5, None)]
    assert project.on(6)["written"] == {}


def test_a_flagged_record_is_not_opened_by_a_sweep_that_shows_its_id(shop):
    flag = {"deleted": "gone"}
    project = shop(a={"cursor": CHANGES, "deletes": SWEEP})
    project.entity("thing", {"a": flag})
    project.on(3, a=records(1, 2, day=2))
    project.on(5, a=[record(1, day=4, gone=True), record(2, day=2)])
    project.on(6)
    assert project.lives()[0] == ("psa:1", "x", 2, 4)
    assert keys(project) == [2]


def test_a_key_that_leaves_one_of_two_complete_sources_stays(shop):
    project = shop(a={}, b={})
    project.entity("thing", ["a", "b"], stamped=False)
    both, one = records(0, 1, day=None), records(1, day=None)
    project.on(1, a=both, b=both)
    for day in (2, 3, 4):
        project.on(day, a=one)
    assert project.lives() == [("psa:0", "x", 1, None), ("psa:1", "x", 1, None)]
    project.on(5, b=one)
    project.on(6)
    assert project.lives() == [("psa:0", "x", 1, 5), ("psa:1", "x", 1, None)]
    project.on(7, a=both)
    assert project.lives()[1] == ("psa:0", "x", 7, None)
    before = project.read_tables(layers=("silver",))
    project("rebuild", "--entity", "thing")
    assert project.read_tables(layers=("silver",)) == before


def test_a_rolling_list_deletes_nothing_where_that_is_declared(shop):
    project = shop(a={"deletes": {"kind": "none"}})
    project.entity("thing", ["a"], stamped=False)
    project.on(1, a=records(*range(20), day=None))
    assert "deletes_waiting" not in count_findings(project.on(2, a=records(19, 20, 21, day=None)))
    assert keys(project) == list(range(22))


def test_a_file_of_changes_deletes_by_its_own_word_alone(shop):
    project = shop(a={"deletes": {"kind": "none"}})
    project.entity("thing", {"a": {"deleted": "status = 'D'"}}, stamped=False)
    project.on(1, a=records(*range(20), day=None))
    project.on(2, a=[record(3, "new", None), record(4, "x", None, status="D")])
    assert [life for life in project.lives() if life[0] in {"psa:3", "psa:4"}] == [
        ("psa:3", "x", 1, 2),
        ("psa:3", "new", 2, None),
        ("psa:4", "x", 1, 2),
    ]
    assert len(keys(project)) == 19


def test_a_table_of_four_loses_one_and_gains_one_in_one_day(shop):
    project = shop(a={})
    project.entity("thing", ["a"], stamped=False)
    project.on(1, a=records(1, 2, 3, 4, day=None))
    assert project.on(2, a=records(2, 3, 4, 5, day=None))["outcome"] == "succeeded"
    assert keys(project) == [2, 3, 4, 5]


def test_deletes_beyond_the_guard_wait_and_news_go_on(shop):
    project = shop(a={})
    project.entity("thing", ["a"], stamped=False)
    project.on(1, a=records(*range(30), day=None))
    report = project.on(2, code=3, a=[*records(*range(17), day=None), record(17, "new", None), record(99, "new", None)])
    (waiting,) = (one for one in report["findings"] if one["finding"] == "deletes_waiting")
    assert waiting["count"] == 12
    assert "psa:18, psa:19, psa:20" in waiting["detail"]
    assert keys(project) == [*range(30), 99]
    assert project.on(2, code=3)["outcome"] == "partial", "it goes on asking"
    assert project.on(2, "--allow-drop")["outcome"] == "succeeded"
    assert keys(project) == [*range(18), 99]
    assert project.lives()[-1] == ("psa:99", "new", 2, None)
    assert project.on(2)["written"] == {}
    before = project.read_tables(layers=("silver",))
    project("rebuild")
    assert project.read_tables(layers=("silver",)) == before, "what a person let through, a rebuild lets through"


def test_deletes_that_wait_are_forgotten_when_a_newer_read_shows_all(shop):
    project = shop(a={})
    project.entity("thing", ["a"], stamped=False)
    project.on(1, a=records(*range(30), day=None))
    project.on(2, code=3, a=records(*range(3), day=None))
    assert project.on(3, a=records(*range(30), day=None))["outcome"] == "succeeded"
    assert project.on(4, "--allow-drop")["written"] == {}
    assert len(keys(project)) == 30


@pytest.mark.parametrize("way", ["changes", "snapshot", "swept"])
def test_a_record_that_no_longer_fits_leaves_and_comes_back(shop, way):
    cursor = {"cursor": SNAPSHOT} if way == "snapshot" else {"cursor": CHANGES}
    project = shop(a={**cursor, **({"deletes": SWEEP} if way == "swept" else {})})
    project.entity("thing", {"a": {"where": "status <> 'x'"}})
    project.on(2, a=[record(1, status="o"), record(2, status="o"), record(3, status="x")])
    project.on(4, a=[record(1, day=3, status="x"), record(2, status="o"), record(3, status="x")])
    assert project.lives() == [("psa:1", "x", 1, 3), ("psa:2", "x", 1, None)]
    assert project.on(5)["written"] == {}
    project.on(7, a=[record(1, day=6, status="o"), record(2, status="o"), record(3, day=6, status=None)])
    assert project.lives()[1] == ("psa:1", "x", 6, None)
    assert keys(project) == [1, 2]
    before = project.read_tables(layers=("silver",))
    project("rebuild", "--entity", "thing")
    assert project.read_tables(layers=("silver",)) == before


def test_an_unstamped_record_that_no_longer_fits_leaves_as_of_its_read(shop):
    project = shop(a={})
    project.entity("thing", {"a": {"where": "status <> 'x'"}}, stamped=False)
    project.on(1, a=[record(1, day=None, status="o"), record(2, day=None, status="o")])
    project.on(2, a=[record(1, day=None, status="x"), record(2, day=None, status="o")])
    assert project.on(3)["written"] == {}
    project.on(4, a=[record(1, day=None, status="o"), record(2, day=None, status="o")])
    assert project.lives() == [("psa:1", "x", 1, 2), ("psa:1", "x", 4, None), ("psa:2", "x", 1, None)]
