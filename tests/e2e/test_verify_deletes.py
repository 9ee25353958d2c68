"""Before an absence is believed, the missing ids are asked for; and so are those that a sweep shows and nobody read."""

from __future__ import annotations

import pytest

from tests.e2e.record_service import CHANGES, SWEEP, RecordShop, Service, count_findings, record, serve

BY_ID = {"path": "a/{id}"}


@pytest.fixture
def service():
    with serve(Service()) as made:
        yield made


@pytest.fixture
def shop(tmp_path, service):
    def make(**more):
        project = RecordShop(tmp_path / "shelf", service, a={"cursor": CHANGES, "deletes": SWEEP, **more})
        project.entity("thing", ["a"])
        return project

    return make


def keys(project):
    return sorted(key for (key,) in project.query("SELECT thing_id FROM silver.thing_current"))


def same_after_rebuild(project):
    before = project.read_tables(layers=("silver",))
    project("rebuild")
    return project.read_tables(layers=("silver",)) == before


def test_one_bad_sweep_closes_nothing_where_the_service_can_be_asked(shop, service):
    project = shop(verify=BY_ID)
    everyone = [record(ident, day=2) for ident in range(1, 7)]
    project.on(3, a=everyone)
    service.hidden = {1}
    project.on(4, a=everyone[:5])
    assert keys(project) == [1, 2, 3, 4, 5]
    assert project.lives()[0] == ("psa:1", "x", 2, None)
    assert project.lives()[5] == ("psa:6", "x", 2, 4)
    assert same_after_rebuild(project)


def test_records_that_no_filter_shows_are_read_by_id(shop):
    """Without a stamp, or with one that lies outside of every window, a record is in no answer but the sweep's."""
    project = shop(verify=BY_ID)
    project.on(3, a=[record(1, day=2), record(2, day=None), record(3, day=30_000)])
    assert keys(project) == [1, 2, 3]
    assert same_after_rebuild(project)


def test_without_a_way_to_ask_the_ids_that_nobody_read_are_a_finding(shop):
    project = shop()
    report = project.on(3, "--resource", "a", code=None, a=[record(1, day=2), record(2, day=30_000)])
    assert count_findings(report)["unread_ids"] == 1
    assert keys(project) == [1]
    assert count_findings(project.on(4, code=None))["unread_ids"] == 1


def test_a_record_that_is_newer_than_the_window_is_no_finding(shop):
    """A sweep shows what was made since the window ended; the next window brings it."""
    project = shop()
    project.on(3, a=[record(1, day=2)])
    assert "unread_ids" not in count_findings(project.on(4, a=[record(1, day=2), record(2, day=4)]))
    assert "unread_ids" not in count_findings(project.on(5))
    assert keys(project) == [1, 2]


def test_deletes_wait_while_the_service_cannot_be_asked_and_a_newer_sweep_replaces_them(shop, service):
    project = shop(verify=BY_ID)
    everyone = [record(ident, day=2) for ident in range(1, 4)]
    project.on(3, a=everyone)
    service.single = False
    report = project.on(4, code=None, a=[*everyone[:2], record(9, day=3)])
    assert count_findings(report)["sweep_unverified"] == 1
    assert keys(project) == [1, 2, 3, 9]
    service.single = True
    project.on(5)
    assert keys(project) == [1, 2, 9]
    assert project.lives()[2] == ("psa:3", "x", 2, 5)
    assert same_after_rebuild(project)
