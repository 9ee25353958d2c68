"""The report of a run: each cause once with the number of steps that wait for it, and as many requests as were sent."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml

from tests.e2e.builders import HEADWATER
from tests.e2e.record_service import CHANGES, RecordShop, Service, record, serve


class FailingService(Service):
    """Refuses the collections of `refused`, and counts its requests."""

    def __init__(self):
        super().__init__()
        self.refused = set()
        self.requests = 0

    def build_answer(self, path, params):
        self.requests += 1
        if path.strip("/") in self.refused:
            return 403, {"error": "no"}
        return super().build_answer(path, params)


@pytest.fixture
def shop(tmp_path):
    with serve(FailingService()) as service:
        names = [f"thing{number}" for number in range(4)]
        shop = RecordShop(tmp_path / "shop", service, **{name: {"cursor": CHANGES} for name in names})
        for name in names:
            shop.entity(name, [name])
            service.collections[name] = [record(1), record(2)]
            shop.write(
                f"models/dimensions/{name}.yaml", {"dimension": name, "entity": name, "attributes": {"name": "T2"}}
            )
        service.day = 5
        yield shop


def print_run(shop):
    return call(shop).stdout


def call(shop, **env):
    words = [*HEADWATER, "run"]
    return subprocess.run(words, cwd=shop.root, env=shop.env | env, capture_output=True, text=True, check=False)


def test_the_log_has_a_line_for_each_failure_and_none_for_what_waits(shop):
    shop.service.refused = {"thing0", "thing1"}
    log = call(shop, HEADWATER_LOG_LEVEL="info").stderr
    assert (log.count("step_failed"), log.count("step_skipped")) == (2, 0)
    assert call(shop, HEADWATER_LOG_LEVEL="debug").stderr.count("step_skipped") > 2


def test_two_reads_that_fail_alike_are_one_cause_with_the_number_of_steps_that_wait(shop):
    shop.service.refused = {"thing0", "thing1"}
    out = print_run(shop)
    assert out.count("403") == 1
    assert "and 1 more" not in out
    assert out.count("steps skipped") == 1
    report = shop.run(code=3)
    skipped = [step for step in report["steps"] if step["state"] == "skipped"]
    assert f"{len(skipped)} steps skipped" in out
    assert all(step["waits_for"] for step in skipped)


def test_different_causes_are_printed_separately(shop):
    shop.run()
    shop.service.day = 6
    shop.service.refused = {"thing0"}
    shop.service.collections["thing1"] = [record(1, changed="x" * 3)]
    shop.write_connector(thing2={"cursor": CHANGES, "path": "nowhere/thing2"})
    out = print_run(shop)
    assert out.count("403") == 1


@pytest.mark.parametrize("refused", [set(), {"thing1"}, {"thing0", "thing1", "thing2", "thing3"}])
def test_the_number_of_requests_is_that_of_the_service(shop, refused):
    shop.service.refused = refused
    report = shop.run(code=None)
    assert report["requests"] == shop.service.requests


def test_a_step_counts_its_requests_too(shop):
    for step in shop("plan").json["steps"]:
        before = shop.service.requests
        report = shop("step", json.dumps(step)).json
        assert report["requests"] == shop.service.requests - before


def test_a_step_as_json_names_its_tenant(shop):
    tenants = yaml.safe_load((shop.root / "headwater.yaml").read_text())["tenants"]
    shop.declare(tenants={**tenants, "other": tenants["acme"]})
    plan = shop("plan", "--tenant", "acme").json
    step = next(step for step in plan["steps"] if step["id"].startswith("extract:"))
    assert shop("step", json.dumps(step)).json["tenant"] == "acme"
    (shop.root / "plan.json").write_text(json.dumps(plan))
    assert shop("step", step["id"], "--plan", "plan.json").json["tenant"] == "acme"
    assert "belongs to another tenant" in shop("step", json.dumps(step), "--tenant", "other", code=2).error["message"]


def test_the_seconds_include_the_start_of_the_process(shop):
    report = shop.run_in_subprocess("run").json
    runs = shop("status").json["last_run"]
    assert report["seconds"] > 0.3
    assert runs["outcome"] == "succeeded"
