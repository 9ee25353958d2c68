"""`run --all`: many tenants in a few processes. What happens to one of them does not happen to the others."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.e2e.builders import Shop, create_shop


@pytest.fixture
def services(start_service):
    """Three small services, with different records."""
    return {f"eu-{number}": start_service(seed=number, companies=2, months=1) for number in (1, 2, 3)}


def create_fleet(root, services):
    project = create_shop(root, next(iter(services.values())))
    project.tenants.clear()
    for tenant, service in services.items():
        project.connect(service, tenant=tenant)
    return project


def list_outcomes(report):
    return {result["tenant"]: result["outcome"] for result in report["tenants"]}


@pytest.mark.slow
def test_the_rows_are_those_of_runs_of_each_tenant(tmp_path, services):
    services.pop("eu-3")
    alone, fleet = create_fleet(tmp_path / "alone", services), create_fleet(tmp_path / "fleet", services)
    for tenant in services:
        alone.run("--tenant", tenant)
    report = fleet.run_in_subprocess("run", "--all", "--jobs", 2).json
    assert list_outcomes(report) == dict.fromkeys(services, "succeeded")
    assert report["exit_code"] == 0
    for tenant in services:
        assert fleet.read_tables(tenant) == alone.read_tables(tenant)
        assert fleet.read_tables(tenant)["silver.company"]
    again = fleet("run", "--all", "--jobs", 1).json
    assert sum(result["inserted"] for result in again["tenants"]) == 0
    services["eu-2"].advance(days=3)
    news = fleet("run", "--all", "--jobs", 1, "--tenant-pattern", "*-2").json
    alone.run("--tenant", "eu-2")
    assert list_outcomes(news) == {"eu-2": "succeeded"}
    assert fleet.read_tables("eu-2") == alone.read_tables("eu-2")
    # The order of the next run: the one that ran last comes last.
    assert list(list_outcomes(fleet("run", "--all", "--jobs", 1).json))[-1] == "eu-2"
    assert fleet("run", "--all", "--due", "1h").json["tenants"] == []


@pytest.mark.slow
def test_a_tenant_that_fails_hangs_or_crashes_is_reported_and_the_others_go_on(tmp_path, services):
    project = create_fleet(tmp_path / "fleet", services)
    project.connect("http://127.0.0.1:1", tenant="eu-closed")
    services["eu-1"].add_fault("timeout", path="company/companies", seconds=300)
    report = project.run_in_subprocess("run", "--all", "--jobs", 2, "--tenant-timeout", "40s", code=3).json
    assert list_outcomes(report) == {
        "eu-closed": "failed",
        "eu-1": "timed_out",
        "eu-2": "succeeded",
        "eu-3": "succeeded",
    }
    errors = {result["tenant"]: result["errors"] for result in report["tenants"]}
    assert "took too long" in errors["eu-1"][0]["message"]
    assert errors["eu-closed"][0]["kind"] == "TransientError"
    for tenant, outcome in (("eu-1", ("crashed", "cancelled")), ("eu-closed", ("failed",))):
        assert project("status", "--tenant", tenant).json["last_run"]["outcome"] in outcome
    services["eu-1"].clear_faults()
    assert list_outcomes(project("run", "--all", "--tenant-pattern", "eu-1").json) == {"eu-1": "succeeded"}
    assert set(services["eu-1"].read_truth("company/companies")) == {
        key for (key,) in project.query("SELECT company_id FROM silver.company_current", "eu-1")
    }


@pytest.mark.slow
def test_a_process_that_dies_takes_only_its_tenant_with_it(tmp_path, services):
    project = create_fleet(tmp_path / "fleet", services)
    services["eu-1"].add_fault("timeout", path="company/companies", seconds=60)
    fleet = project.start("run", "--all", "--jobs", 2, "--json")
    holder = wait_for_holder(project, "eu-1")
    wait_for_run(project, "eu-1")
    # An out-of-memory killer would do this.
    os.kill(holder, signal.SIGKILL)
    out, err = fleet.communicate(timeout=120)
    assert fleet.returncode == 3, out + err
    assert '"tenant":"eu-1","outcome":"crashed"' in out
    assert out.count('"outcome":"succeeded"') == 2
    assert "killed by signal 9" in out
    assert project("status", "--tenant", "eu-1").json["last_run"]["outcome"] == "crashed"
    services["eu-1"].clear_faults()
    assert project("run", "--all", "--jobs", 1).json["exit_code"] == 0


@pytest.mark.slow
def test_the_processes_of_a_command_that_is_killed_stop_at_their_page(tmp_path, services):
    project = create_fleet(tmp_path / "fleet", services)
    for path in ("company/companies", "company/contacts", "system/members", "time/entries"):
        services["eu-1"].add_fault("timeout", path=path, seconds=2)
    fleet = project.start("run", "--all", "--jobs", 2, "--json")
    holder = wait_for_holder(project, "eu-1")
    assert holder != fleet.pid
    fleet.kill()
    fleet.communicate(timeout=30)
    deadline = time.monotonic() + 20
    while project("status", "--tenant", "eu-1").json["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert project("status", "--tenant", "eu-1").json["last_run"]["outcome"] == "cancelled"


def test_ctrl_c_stops_at_a_page_and_says_which_tenants_did_not_begin(tmp_path, services):
    project = create_fleet(tmp_path / "fleet", services)
    for path in ("company/companies", "company/contacts", "system/members", "time/entries"):
        services["eu-1"].add_fault("timeout", path=path, seconds=3)
    fleet = project.start("run", "--all", "--jobs", 1, "--tenant-timeout", "5m", "--json")
    wait_for_holder(project, "eu-1")
    time.sleep(0.5)
    os.killpg(fleet.pid, signal.SIGINT)
    out, err = fleet.communicate(timeout=60)
    assert fleet.returncode == 3, out + err
    assert '"tenant":"eu-1","outcome":"cancelled"' in out
    assert out.count('"outcome":"not_started"') == 2
    assert project("status", "--tenant", "eu-1").json["running"] == ""
    services["eu-1"].clear_faults()
    assert project("run", "--all", "--jobs", 1).json["exit_code"] == 0


def test_a_tenant_that_another_run_holds_is_skipped_and_said_so(tmp_path, services):
    project = create_fleet(tmp_path / "fleet", services)
    services["eu-1"].add_fault("timeout", path="company/companies", seconds=60)
    single = project.start("run", "--tenant", "eu-1", "--json")
    wait_for_holder(project, "eu-1")
    report = project("run", "--all", "--jobs", 1).json
    os.killpg(single.pid, signal.SIGKILL)
    single.communicate()
    assert list_outcomes(report) == {"eu-1": "leased", "eu-2": "succeeded", "eu-3": "succeeded"}
    assert report["exit_code"] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--jobs", "2"], "needs `--all`"),
        (["--due", "1h"], "needs `--all`"),
        (["--tenant-pattern", "a*"], "needs `--all`"),
        (["--all", "--tenant", "eu-1"], "contradict"),
        (["--all", "--due", "soon"], "not a duration"),
        (["--all", "--due", "0h"], "empty"),
        (["--all", "--tenant-pattern", "nobody-*"], "No tenant matches"),
    ],
)
def test_options_that_mean_nothing_are_refused(tmp_path, words, message):
    project = create_fleet(tmp_path / "fleet", {"eu-1": "http://127.0.0.1:1", "eu-2": "http://127.0.0.1:2"})
    assert message in project("run", *words, code=2).error["message"]


def wait_for_holder(project: Shop, tenant: str) -> int:
    """The process that works on a tenant, once it does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        running = project("status", "--tenant", tenant).json["running"]
        if running:
            return int(running.split()[1])
        time.sleep(0.1)
    msg = f"nothing works on {tenant}"
    raise AssertionError(msg)


def wait_for_run(project: Shop, tenant: str) -> None:
    """Wait until the ledger knows the run: its lease is claimed a moment before."""
    deadline = time.monotonic() + 30
    while project("status", "--tenant", tenant).json["last_run"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
