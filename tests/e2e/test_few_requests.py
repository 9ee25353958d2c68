"""An hour costs few requests: nothing is requested below unchanged parents, and reference data has its own rhythm."""

from __future__ import annotations

import pytest

from tests.e2e.record_service import CHANGES, RecordShop, Service, record, serve

HOUR = 1 / 24


class FamilyService(Service):
    """A service with parts below each thing. It logs the paths of requests."""

    def __init__(self):
        super().__init__()
        self.parts = {}
        self.paths = []

    def build_answer(self, path, params):
        self.paths.append(path.strip("/"))
        _, _, rest = path.strip("/").partition("/")
        if rest.endswith("/parts"):
            since, until = params.get("since", ""), params.get("until", "~")
            parts = self.parts.get(int(rest.split("/")[0]))
            return (500, {}) if parts is None else (200, [part for part in parts if since <= part["changed"] < until])
        return super().build_answer(path, params)

    def take_paths(self):
        """The paths since the last call, without the clock, sorted."""
        paths, self.paths = sorted(path for path in self.paths if path != "time"), []
        return paths


@pytest.fixture
def service():
    with serve(FamilyService()) as made:
        yield made


def create_project(root, service, *, every="1d"):
    project = RecordShop(
        root / "shelf",
        service,
        things={"cursor": CHANGES},
        parts={"path": "things/{parent}/parts", "parent": {"resource": "things", "every": every}, "cursor": CHANGES},
        kinds={"cursor": CHANGES, "every": "1d"},
    )
    for entity, source in (("thing", "things"), ("part", "parts"), ("kind", "kinds")):
        project.entity(entity, [source])
    service.collections |= {"things": [record(1, day=1), record(2, day=1)], "kinds": [record(7, "first", day=1)]}
    service.parts = {1: [record(11, "a", day=1)], 2: [record(21, "b", day=1)], 3: []}
    return project


def read_names(project, entity):
    return dict(project.query(f"SELECT thing_id, name FROM silver.{entity}_current ORDER BY 1"))


def test_an_hour_without_news_is_one_request_a_resource_that_is_due(tmp_path, service):
    project = create_project(tmp_path, service)
    project.on(3)
    assert service.take_paths() == ["kinds", "things", "things/1/parts", "things/2/parts"]
    project.on(3 + HOUR)
    assert service.take_paths() == ["things"]
    project.on(4 + HOUR)
    assert service.take_paths() == ["kinds", "things", "things/1/parts", "things/2/parts"]


def test_the_parts_of_a_changed_and_of_a_new_thing_are_read_at_once(tmp_path, service):
    project = create_project(tmp_path, service)
    project.on(3)
    service.take_paths()
    changed = 3 + HOUR / 2
    service.parts[2].append(record(22, "c", day=changed))
    service.parts[3].append(record(31, "d", day=changed))
    project.on(3 + HOUR, things=[record(1, day=1), record(2, "moved", day=changed), record(3, day=changed)])
    assert service.take_paths() == ["things", "things/2/parts", "things/3/parts"]
    assert read_names(project, "part") == {11: "a", 21: "b", 22: "c", 31: "d"}
    project.on(3 + 2 * HOUR)
    assert service.take_paths() == ["things"], "a change is followed once"


def test_a_part_that_changes_below_an_unchanged_thing_comes_a_day_later_and_is_not_lost(tmp_path, service):
    project = create_project(tmp_path, service)
    project.on(3)
    service.parts[1][0] = record(11, "late", day=3 + HOUR / 2)
    for hours in (1, 2, 23):
        project.on(3 + hours * HOUR)
        assert read_names(project, "part")[11] == "a"
    project.on(4)
    assert read_names(project, "part")[11] == "late"
    assert project.lives("part")[0][:4] == ("psa:11", "a", 1, 3)


def test_a_read_below_a_changed_thing_that_fails_is_made_up_for(tmp_path, service):
    project = create_project(tmp_path, service)
    project.on(3)
    changed = 3 + HOUR / 2
    parts, service.parts = service.parts, {1: [], 3: []}  # a request below thing 2 fails
    project.on(3 + HOUR, code=3, things=[record(1, day=1), record(2, "moved", day=changed)])
    service.parts = parts | {2: [record(21, "new", day=changed)]}
    project.on(3 + 2 * HOUR)
    assert read_names(project, "part") == {11: "a", 21: "new"}


def test_what_is_requested_by_name_is_read_at_once(tmp_path, service):
    project = create_project(tmp_path, service)
    project.on(3)
    service.take_paths()
    service.collections["kinds"] = [record(7, "second", day=3 + HOUR / 2)]
    notes = project("plan").json["notes"]
    service.day = 3 + HOUR
    assert any("not due yet: kinds (every 1d)" in note for note in project("plan").json["notes"]), notes
    project.run("--resource", "kinds")
    assert read_names(project, "kind") == {7: "second"}
    project.run("--resource", "parts")
    assert service.take_paths() == ["kinds", "things/1/parts", "things/2/parts"]


def test_a_connection_can_choose_the_rhythm(tmp_path, service):
    project = create_project(tmp_path, service)
    connection = {"connector": "shelf", "settings": {"base_url": service.url}, "every": {"kinds": "0s", "parts": "0s"}}
    project.declare(tenants={"acme": {"connections": {"psa": connection}}})
    project.on(3)
    service.take_paths()
    project.on(3 + HOUR)
    assert service.take_paths() == ["kinds", "things", "things/1/parts", "things/2/parts"]
    connection["every"] = {"kind": "1h"}
    project.declare(tenants={"acme": {"connections": {"psa": connection}}})
    error = project("run", code=2).error
    assert (error["found"], "kinds" in error["fix"]) == ("kind", True)
