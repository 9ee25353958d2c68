"""A publication that is new, changed, failed or was interrupted is written by the next run, or by `headwater publish`."""

from __future__ import annotations

import json

import pytest

from tests.e2e.record_service import RecordShop, Service, record, serve


@pytest.fixture
def shop(tmp_path):
    with serve(Service()) as service:
        shop = RecordShop(tmp_path / "shop", service, things={})
        shop.entity("thing", ["things"])
        shop.write(
            "models/dimensions/thing.yaml", {"dimension": "thing", "entity": "thing", "attributes": {"name": "T2"}}
        )
        shop.on(5, things=[record(1), record(2)])
        yield shop


def declare(shop, **more):
    shop.declare(publish=[{"name": "out", "url": "out", "format": "csv", **more}])


def find_steps(report):
    return [step["detail"] for step in report["steps"] if step["step"] == "publish:out"]


def test_a_new_publication_is_written_by_the_next_run_without_news(shop):
    assert shop.run()["written"] == {}
    declare(shop)
    (detail,) = find_steps(shop.run())
    assert detail.startswith("1 of 1 tables written")
    assert list((shop.root / "out" / "acme").rglob("dim_thing/*.csv"))
    assert find_steps(shop.run()) == []


def test_a_changed_publication_is_written_again(shop):
    declare(shop)
    shop.run()
    declare(shop, open_end=None)
    (detail,) = find_steps(shop.run())
    assert detail.startswith("1 of 1")


def test_a_publication_that_failed_is_tried_again_without_news(shop):
    (shop.root / "out").write_text("a file where the folder must be")
    declare(shop)
    assert shop.run(code=None)["exit_code"] != 0
    assert shop.run(code=None)["exit_code"] != 0
    (shop.root / "out").unlink()
    (detail,) = find_steps(shop.run())
    assert detail.startswith("1 of 1")


def test_the_command_writes_without_a_request(shop):
    declare(shop)
    shop.service.collections = {}
    report = shop("publish").json
    assert [step["state"] for step in report["steps"]] == ["succeeded"]
    assert report["steps"][0]["detail"].startswith("1 of 1")
    assert shop("publish", "out").json["steps"][0]["detail"].startswith("0 of 1")
    assert shop("publish", "ot", code=2).error["fix"] == "did you mean `out`?"


def test_the_command_refuses_a_project_without_publications(shop):
    assert "no publication" in shop("publish", code=2).error["message"]


@pytest.mark.parametrize("layer", ["gold", "silver"])
def test_steps_that_end_before_the_publication_leave_it_to_the_next_run(shop, layer):
    """An orchestrator may stop before the last step. The published tables then stayed older than the warehouse."""
    declare(shop, layer=layer)
    shop.run()
    shop.service.day, shop.service.collections["things"] = 7, [record(1), record(2, "new", day=6), record(3, day=6)]
    for step in shop("plan").json["steps"]:
        if step["kind"] != "publish":
            assert shop("step", json.dumps(step)).json["outcome"] == "succeeded"
    report = shop.run()
    assert (report["rows"], report["written"]) == (0, {})
    (detail,) = find_steps(report)
    assert detail.startswith("1 of 1")
    assert shop.run()["steps"] == []


def test_a_step_that_writes_nothing_leaves_nothing_to_publish(shop):
    declare(shop)
    shop.run()
    assert shop("step", "dimension:thing").json["written"] == {}
    assert shop.run()["steps"] == []
