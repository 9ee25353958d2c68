"""History is what all batches say together, whatever the order in which they reach silver."""

from __future__ import annotations

import pytest

from tests.e2e.record_service import RecordShop, Service, record, serve


@pytest.fixture
def service():
    with serve(Service()) as made:
        yield made


@pytest.fixture
def project(tmp_path, service):
    made = RecordShop(tmp_path / "shelf", service, a={})
    made.entity("thing", ["a"], stamped=False)
    return made


THREE = [("psa:1", "A", 1, 2), ("psa:1", "B", 2, 3), ("psa:1", "C", 3, None)]


def three_days(project, *words):
    for day, name in enumerate("ABC", start=1):
        project.on(day, *words, a=[record(1, name, None), record(2, "x", None)])


def test_a_rebuild_of_one_entity_gives_every_snapshot_its_day(project):
    three_days(project)
    before = project.read_tables(layers=("silver",))
    project("rebuild", "--entity", "thing")
    assert project.lives()[:3] == THREE
    assert project.read_tables(layers=("silver",)) == before


def test_an_entity_that_is_declared_later_has_every_snapshot_of_its_resource(project):
    three_days(project)
    project.entity("other", ["a"], stamped=False)
    project.on(4)
    assert project.lives("other")[:3] == THREE


def test_two_entities_whose_days_wait_in_bronze_have_them_all(project):
    project.entity("other", ["a"], stamped=False)
    three_days(project, "--layer", "bronze")
    project.on(3)
    assert project.lives()[:3] == project.lives("other")[:3] == THREE


def test_a_history_that_is_made_anew_by_its_declaration_has_every_snapshot(project):
    three_days(project)
    project.entity("thing", {"a": {"map": {"thing_id": "id", "name": "name", "status": "status"}}}, stamped=False,
                   columns={"thing_id": "bigint", "name": "text", "status": "text"}, on_schema_change="rebuild")  # fmt: skip
    project.on(4)
    assert project.lives()[:3] == THREE


def test_a_readmitted_record_enters_history_at_the_time_of_its_own_read(project):
    odd = {"id": 1, "name": ["B"]}
    project.on(1, a=[record(1, "A", None), record(2, "x", None)])
    project.on(2, a=[odd, record(2, "x", None)], code=None)
    project.on(3, a=[record(1, "C", None), record(2, "x", None)])
    project.on(4, a=[record(2, "x", None)])
    assert project.lives()[:2] == [("psa:1", "A", 1, 3), ("psa:1", "C", 3, 4)], "the refused record was there on day 2"
    project.declare(policies={"shelf.a": {"fields": {"name": "json"}}})
    assert project("quarantine", "retry").json["readmitted"] == 1
    assert project.lives()[:3] == [("psa:1", "A", 1, 2), ("psa:1", '["B"]', 2, 3), ("psa:1", "C", 3, 4)]
    before = project.read_tables(layers=("silver",))
    project("rebuild", "--entity", "thing")
    assert project.read_tables(layers=("silver",)) == before
