"""A half-finished read belongs to the declaration it was begun with, through the command line."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.e2e.odd_service import CHANGES, NUMBERED, OddService, OddShop, serve, things

ALL = list(range(1, 249))
SMALL = {**NUMBERED, "size": 50}


@pytest.fixture
def odd():
    with serve(OddService(things(*ALL))) as running:
        yield running


@pytest.fixture
def partial_project(odd, tmp_path):
    """A project whose read failed at page 4 of 5, three pages of which are in."""
    shop = OddShop(tmp_path / "shop", odd, paging=SMALL, params={"state": "open"})
    restore_service(odd, broken=True)
    shop.run(code=1)
    restore_service(odd)
    return shop


def restore_service(odd, *, broken=False):
    whole = type(odd).build_answer

    def build_answer(path, params):
        refused = broken and params.get("page") == "4"
        return (403, {}) if refused else whole(odd, path, params)

    odd.build_answer = build_answer
    odd.requests.clear()


def pages(odd):
    return [params["page"] for path, params in odd.requests if path == "/things"]


def test_it_goes_on_where_nothing_changed(partial_project, odd):
    partial_project.run()
    assert partial_project.current() == ALL
    # The rest of its own window, and then what came since.
    assert pages(odd)[:2] == ["4", "5"]


@pytest.mark.parametrize(
    "change",
    [
        {"paging": {**NUMBERED, "size": 100}},
        {"params": {"state": "any"}},
        {"cursor": {**CHANGES, "params": {"since": "{since}", "until": "{until}", "sort": "id"}}},
        {"fields_param": "fields"},
        {"connector": {"headers": {"X-Version": "2"}}},
        {"connector": {"params": {"version": "2"}}},
    ],
    ids=["size", "params", "cursor", "fields", "headers", "connector params"],
)
def test_it_begins_anew_under_another_declaration(change, partial_project, odd):
    partial_project.write_connector(**change)
    ran = partial_project("run")
    assert partial_project.current() == ALL
    assert pages(odd)[0] == "1"
    assert partial_project.raw() == [("changes", 248)]
    assert "read_dropped" in ran.err
    assert "declaration of its requests has changed" in ran.err


def test_what_shapes_no_request_drops_nothing(partial_project, odd):
    partial_project.write_connector(verify={"path": "things/{id}"}, count={"path": "things/count"})
    partial_project.run()
    assert pages(odd)[0] == "4"
    assert partial_project.current() == ALL


@pytest.mark.parametrize(
    "words", [("run", "--fresh"), ("backfill", "--since", "2000-01-01", "--force")], ids=lambda w: w[0]
)
def test_a_person_may_drop_what_is_half_done(words, partial_project, odd):
    partial_project(*words)
    assert pages(odd)[0] == "1"
    assert partial_project.current() == ALL
    assert partial_project.raw() == [("changes", 248)]


def test_a_plan_says_what_the_run_will_do(partial_project, odd):
    before = partial_project("plan").json
    partial_project.write_connector(paging={**NUMBERED, "size": 100})
    after = partial_project("plan").json
    assert next(step["inputs"].get("resume") for step in before["steps"] if step["kind"] == "extract") is True
    assert not any(step["inputs"].get("resume") for step in after["steps"] if step["kind"] == "extract")


def test_a_failed_window_is_planned_afresh_when_it_may_be_shorter(odd, tmp_path):
    shop = OddShop(tmp_path / "shop", odd, paging=SMALL, look_back="10d", chunk="10d")
    whole = type(odd).build_answer

    def build_answer(path, params):
        """A window of more than two days is too long for it."""
        if path == "/things" and params["since"] > "0002":
            since, until = (datetime.fromisoformat(params[name]) for name in ("since", "until"))
            if until - since > timedelta(days=2):
                return 400, {"message": "the window is too long"}
        return whole(odd, path, params)

    odd.build_answer = build_answer
    assert shop.run(code=None)["outcome"] != "succeeded"
    shop.write_connector(chunk="1d")
    shop.run()
    assert shop.current() == ALL
