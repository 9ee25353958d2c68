"""A run whose steps come one by one, as an orchestrator asks for them."""

from __future__ import annotations

import json
import random
import subprocess
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest
import yaml

from headwater.errors import StepNotReady
from headwater.run.app import RunRequest, StepOptions, choose_tenant, dump_plan, open_project, run_step
from headwater.run.app import plan as make_plan
from tests.e2e.builders import HEADWATER, KEYS, create_shop, kill


class Orchestrator:
    """What Airflow or Dagster would do: knows the JSON of a plan and a command, and nothing of Headwater."""

    def __init__(self, folder, env, workers=2):
        self.folder, self.env, self.workers = folder, env, workers

    def call(self, *words):
        command = [*HEADWATER, *words, "--json"]
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 3), done.stdout + done.stderr
        return json.loads(done.stdout)

    def run(self):
        plan = self.call("plan")
        (self.folder / "plan.json").write_text(json.dumps(plan))
        waiting = {step["id"]: set(step["depends_on"]) for step in plan["steps"]}
        done, running = {}, {}
        with ThreadPoolExecutor(self.workers) as pool:
            while waiting or running:
                ready = [step for step, needed in waiting.items() if needed <= done.keys()]
                for step in ready[: self.workers - len(running)]:
                    del waiting[step]
                    future = pool.submit(self.call, "step", step, "--plan", "plan.json", "--wait", "120")
                    running[future] = step
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    done[running.pop(future)] = future.result()
        return done


@pytest.mark.slow
def test_an_orchestrator_that_knows_json_and_a_command_ends_where_a_run_does(tmp_path, service):
    some = {"resources": ["companies", "time_entries"]}
    whole, stepped = (create_shop(tmp_path / name, service, **some) for name in ("whole", "stepped"))
    whole.run()
    reports = Orchestrator(stepped.root, stepped.env).run()
    assert {report["outcome"] for report in reports.values()} == {"succeeded"}
    assert len({report["steps"][0]["step"] for report in reports.values()}) == len(reports) > 10
    assert stepped.read_tables() == whole.read_tables()


def read_steps(project):
    """The steps of a plan made now."""
    return project("plan").json["steps"]


def shuffle_steps(steps, seed):
    """The steps in an order in which they can be done."""
    draw, done, left = random.Random(seed), set(), list(steps)
    while left:
        step = draw.choice([step for step in left if set(step["depends_on"]) <= done])
        left.remove(step)
        done.add(step["id"])
        yield step


def call_step(project, step, *words, code=0):
    """`headwater step`, and what it answers."""
    return project("step", step if isinstance(step, str) else json.dumps(step), *words, code=code).json


def test_steps_in_any_order_over_many_days_end_where_runs_do(tmp_path, service):
    whole, stepped = (create_shop(tmp_path / name, service) for name in ("whole", "stepped"))
    for seed in range(3):
        whole.run()
        steps = read_steps(stepped)
        reports = [call_step(stepped, step) for step in shuffle_steps(steps, seed)]
        assert {report["outcome"] for report in reports} == {"succeeded"}
        assert stepped.read_tables() == whole.read_tables()
        mine, other = stepped("status").json, whole("status").json
        assert mine["last_run"]["outcome"] == "succeeded"
        assert mine["last_run"]["steps_done"] == mine["last_run"]["steps"] == len(steps)
        assert mine["last_run"]["rows"] == other["last_run"]["rows"]
        assert [row["waiting"] for row in mine["feeds"]] == [row["waiting"] for row in other["feeds"]]
        assert [row["line"] for row in mine["counts"]] == [row["line"] for row in other["counts"]]
        service.advance(days=3)
    assert whole.run()["rows"] == stepped.run()["rows"]
    assert stepped.read_tables() == whole.read_tables()


def test_a_step_that_was_done_does_nothing_and_says_so(small, service):
    steps = read_steps(small)
    for step in steps:
        call_step(small, step)
    before = small.read_tables(read_times=True)
    service.list_requests(clear=True)
    for step in steps:
        report = call_step(small, step)
        assert report["outcome"] == "succeeded"
        if step["kind"] in ("extract", "land"):
            assert report["steps"][0]["detail"] == "done already; nothing to do"
        assert report["written"] == {}
    # Steps of tables look for what landed since, and may ask the service what time it is for that.
    assert {path for path in service.list_requests() if "system/info" not in path} == set()
    assert small.read_tables(read_times=True) == before


def test_a_step_before_what_it_depends_on_is_refused_and_changes_nothing(small):
    steps = {step["kind"]: step for step in read_steps(small) if step["id"] != "dimension:date"}
    for kind in ("land", "conform", "dimension", "fact"):
        error = call_step(small, steps[kind], code=2)["error"]
        assert error["kind"] == "StepNotReady", kind
        assert error["at"] == steps[kind]["id"]
        assert "not done" in error["found"]
    assert small("status").json["last_run"] is None
    assert not (small.data / "acme.duckdb").exists()


def test_a_step_by_its_id_alone(small, service):
    assert call_step(small, "fact:time_entry", code=2)["error"]["kind"] == "StepNotReady"
    assert call_step(small, "conform:company", code=2)["error"]["kind"] == "StepNotReady"
    for unknown in ("conform:compeny", "extract:psa/compenies:1", "dance:company", "land:psa/companies:none"):
        assert call_step(small, unknown, code=2)["error"]["kind"] in {"DeclarationError", "StepNotReady"}, unknown
    whole = small.run()
    service.advance(days=3)
    ids = [step["id"] for step in read_steps(small)]
    assert {call_step(small, step)["outcome"] for step in ids} == {"succeeded"}
    assert call_step(small, "conform:company")["steps"][0]["detail"] == "0 events, 0 versions inserted, 0 deleted"
    assert whole["outcome"] == "succeeded"
    assert small.run()["written"] == {}


def test_what_is_no_step_is_refused(small, tmp_path):
    for text in ("{", "{}", '{"id": "conform:company"}', "conform", "", "conform:"):
        assert call_step(small, text, code=None)["error"]["message"], text
    step = read_steps(small)[0]
    assert call_step(small, {**step, "tenant": "other"}, code=None)["error"]["message"]
    (small.root / "plan.json").write_text("[]")
    assert call_step(small, step["id"], "--plan", "plan.json", code=2)["error"]["kind"] == "UsageError"
    (small.root / "plan.json").write_text("{}")
    assert (
        call_step(small, step["id"], "--plan", "plan.json", code=2)["error"]["message"] == "The plan has no such step."
    )
    for path, reason in (("missing.json", "No such file"), ("latin.json", "not UTF-8")):
        (small.root / "latin.json").write_bytes(b'{"caf\xe9": 1}')
        error = call_step(small, step["id"], "--plan", path, code=2)["error"]
        assert (error["at"], reason in error["found"]) == ("--plan", True), error
        assert "headwater plan --json" in error["fix"]
    error = call_step(small, {"id": "conform:company"}, code=2)["error"]
    assert (error["at"], "`depends_on` is missing" in error["found"]) == ("conform:company", True), error


def test_the_summary_of_a_merge_counts_all_its_batches(small):
    """An entity is merged in several parts: changes, then a sweep. The summary once showed only the last part."""
    steps = read_steps(small)
    (merge,) = [step for step in steps if step["id"] == "conform:company"]
    for step in steps[: steps.index(merge)]:
        call_step(small, step)
    report = call_step(small, merge)
    inserted = report["written"]["silver.company"]["inserted"]
    assert inserted > 0
    assert f"{inserted} versions inserted" in report["steps"][0]["detail"]


def test_an_entity_that_waits_for_a_decision_does_not_stop_the_steps_of_others(shop_after_run):
    path = shop_after_run.root / "models" / "entities" / "company.yaml"
    document = yaml.safe_load(path.read_text())
    document["columns"]["website"] = "text"
    document["sources"]["connectwise.companies"]["map"]["website"] = "website"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    assert call_step(shop_after_run, "conform:contact")["outcome"] == "succeeded"
    error = call_step(shop_after_run, "conform:company", code=2)["error"]
    assert error["message"].startswith("entity `company`")


def test_a_failed_step_fails_alone_and_goes_on_when_it_is_asked_again(small, service):
    steps = read_steps(small)
    read = next(step for step in steps if step["id"].startswith("extract:psa/contacts") and "changes" in step["id"])
    service.add_fault("error", path="company/contacts", status=403)
    report = call_step(small, read, code=1)
    assert report["outcome"] == "failed"
    assert report["steps"][0]["error"]["kind"] == "PermanentError"
    assert small("status").json["last_run"]["steps_failed"] == 1
    assert small("status").json["last_run"]["outcome"] == "running"
    service.clear_faults()
    for step in steps:
        assert call_step(small, step)["outcome"] == "succeeded"
    last = small("status").json["last_run"]
    assert (last["outcome"], last["steps_failed"]) == ("succeeded", 0)


def test_a_run_whose_steps_did_not_all_come_ends_when_another_begins(small):
    steps = read_steps(small)
    call_step(small, steps[0])
    assert small("status").json["last_run"]["outcome"] == "running"
    assert small.run()["outcome"] == "succeeded"
    with open_project(small.root) as project:
        outcomes = [run.outcome for run in project.ledger.list_runs("acme")]
    assert outcomes == ["succeeded", "partial"]
    before = small.read_tables(read_times=True)
    # The rest of that plan is out of date: it is refused, but for what was read already.
    late = [small("step", json.dumps(step), code=None) for step in steps]
    assert {one.code for one in late} == {0, 2}
    assert {step["kind"] for step, one in zip(steps, late, strict=True) if not one.code} <= {"extract", "land"}
    assert small.read_tables(read_times=True) == before


def test_a_plan_is_refused_when_another_run_began_since_it_was_made(shop_after_run, service):
    service.advance(days=3)
    steps = read_steps(shop_after_run)
    shop_after_run.run()
    before = shop_after_run.read_tables(read_times=True)
    refused = [
        shop_after_run("step", json.dumps(step), code=2).error
        for step in steps
        if step["kind"] not in ("extract", "land")
    ]
    assert {error["kind"] for error in refused} == {"StepNotReady"}
    assert "plan again" in refused[0]["fix"]
    assert shop_after_run.read_tables(read_times=True) == before


def test_what_lands_after_its_entity_was_merged_is_merged_when_the_step_is_asked_again(small, service):
    steps = {step["id"]: step for step in read_steps(small)}
    reads = [name.partition(":")[2] for name in steps if name.startswith("extract:psa/companies")]
    for read in reads[:-1]:
        call_step(small, steps[f"extract:{read}"])
        call_step(small, steps[f"land:{read}"])
    service.add_fault("error", path="company/companies", status=403)
    call_step(small, steps[f"extract:{reads[-1]}"], code=1)
    service.clear_faults()
    call_step(small, steps["conform:company"])
    call_step(small, steps[f"extract:{reads[-1]}"])
    call_step(small, steps[f"land:{reads[-1]}"])
    waiting = sum(feed["waiting"] for feed in small("status").json["feeds"] if feed["resource"] == "companies")
    assert waiting == 1
    call_step(small, steps["conform:company"])
    assert not sum(feed["waiting"] for feed in small("status").json["feeds"] if feed["resource"] == "companies")


def test_an_entity_waits_until_each_of_its_reads_has_ended(small):
    steps = read_steps(small)
    conform = next(step for step in steps if step["needs"] == "any" and len(step["depends_on"]) > 1)
    first = conform["depends_on"][0]
    for step in steps:
        if step["id"] in (first, first.replace("land:", "extract:")):
            call_step(small, step)
    error = call_step(small, conform, code=2)["error"]
    assert error["kind"] == "StepNotReady"
    assert first not in error["found"]


def test_steps_that_are_killed_go_on_when_they_are_asked_again(tmp_path, service, shop_after_run):
    killed = create_shop(tmp_path / "killed", service)
    delays = {"extract": 1.5, "land": 1.3, "conform": 1.6, "fact": 1.7}
    for step in read_steps(killed):
        delay = delays.pop(step["kind"], None) if "companies" not in step["id"] else None
        if delay is not None:
            with killed.start("step", json.dumps(step), "--json") as process:
                try:
                    process.wait(delay)
                except subprocess.TimeoutExpired:
                    kill(process)
        assert call_step(killed, step)["outcome"] == "succeeded"
    assert killed.read_tables() == shop_after_run.read_tables()
    assert not list((killed.data / "lake").rglob("*.tmp"))
    assert killed.run()["written"] == {}


def test_of_two_steps_at_once_one_works_and_the_other_says_who_holds_the_lease_or_waits(small, service):
    first, second = [step for step in read_steps(small) if step["kind"] == "extract" and not step["depends_on"]][:2]
    service.add_fault("timeout", path="company/companies", seconds=4)
    with small.start("step", json.dumps(first), "--json") as process:
        next(line for line in process.stderr if " read_started " in line)
        assert call_step(small, second, code=1)["error"]["kind"] == "LeaseHeld"
        assert small.run(code=1)["error"]["kind"] == "LeaseHeld"
        assert call_step(small, second, "--wait", "60")["outcome"] == "succeeded"
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err


def test_a_step_from_python(small, monkeypatch):
    for name in KEYS:
        monkeypatch.setenv(name, small.env[name])
    with open_project(small.root) as project:
        workspace = choose_tenant(project, None)
        plan = dump_plan(workspace, make_plan(workspace, RunRequest()))
        reports = [run_step(project, "acme", step, options=StepOptions(wait=1)) for step in plan["steps"]]
        assert {report.exit_code for report in reports} == {0}
        with pytest.raises(StepNotReady):
            run_step(project, "acme", {**plan["steps"][-1], "run": {"id": "other", "steps": 1, "previous": ""}})
    assert small.run()["rows"] == 0
