"""Workers of a queue: what they do with their tenants, with signals, with each other, and while the server is away."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml

from tests.e2e.queue_fleet import wait_until

QUICK = ("--dead-after", "2s")


def read_status(checkout):
    return checkout("queue", "status").json


def list_running(checkout):
    return [job["tenant"] for job in read_status(checkout)["running"]]


def test_a_command_puts_each_due_tenant_once_and_status_tells_what_waits_and_what_failed(create_queue_world):
    service, project, _ = create_queue_world(3)
    assert "no queue yet" in project("queue", "status", code=1).error["message"]
    assert project("run", "--all", "--queue").json == {"queued": ["t00", "t01", "t02"], "waiting": []}
    assert project("run", "--all", "--queue", "--tenant-pattern", "*1").json == {"queued": [], "waiting": ["t01"]}
    status = read_status(project)
    assert (status["waiting"], [job["tenant"] for job in status["first"]]) == (3, ["t00", "t01", "t02"])
    assert "start `headwater worker`" in project.run_in_process("queue", "status").out
    del service.records["t01"]
    report = project("worker", "--jobs", 1, "--until-empty").json
    assert report["outcomes"] == {"succeeded": 2, "failed": 1}
    status = read_status(project)
    assert (status["waiting"], status["running"], status["workers"]) == (0, [], [])
    (failure,) = status["failed"]
    assert (failure["tenant"], failure["outcome"]) == ("t01", "failed")
    assert failure["error"]["message"]
    assert "t01" in project.run_in_process("queue", "status").out
    # Who has just run is not due, and who failed is.
    assert project("run", "--all", "--queue", "--due", "1h").json["queued"] == ["t01"]


def test_a_worker_looks_again_whether_a_tenant_is_due_and_whether_it_is_still_there(create_queue_world):
    service, project, _ = create_queue_world(3)
    project("run", "--all", "--queue", "--due", "1h")
    project("run", "--tenant", "t00")
    requests = len(service.asked)
    project.declare(tenants={name: value for name, value in read_tenants(project).items() if name != "t01"})
    # The declarations have changed, so the jobs wait for workers of the former ones until they are queued again.
    assert read_status(project)["waiting"] == 0
    assert sum(read_status(project)["other_queues"].values()) == 3
    assert project("run", "--all", "--queue").json == {"queued": [], "waiting": ["t02", "t00"]}
    report = project("worker", "--jobs", 1, "--until-empty").json
    assert report["outcomes"] == {"not_due": 1, "removed": 1, "succeeded": 1}
    assert set(service.asked[requests:]) == {"t02"}


def read_tenants(project):
    return yaml.safe_load((project.root / "headwater.yaml").read_text())["tenants"]


def test_the_options_of_a_run_apply_to_the_jobs(create_queue_world):
    _, project, _ = create_queue_world(1)
    project("run", "--all", "--queue", "--resource", "items", "--layer", "bronze")
    project("run", "--all", "--queue", "--resource", "orders", "--layer", "bronze")
    assert read_status(project)["waiting"] == 2
    assert project("worker", "--jobs", 1, "--until-empty").json["outcomes"] == {"succeeded": 2}
    batches = [(row["resource"], row["windows"]) for row in project("status").json["feeds"]]
    assert sorted(resource for resource, windows in batches if windows) == ["items", "orders"]
    assert project.read_rows() == {}


def test_a_job_that_nobody_can_read_ends_and_the_others_run(create_queue_world):
    _, project, _ = create_queue_world(2)
    project("run", "--all", "--queue")
    with psycopg.connect(project.warehouse) as db:
        db.execute(
            "UPDATE headwater_queue.procrastinate_jobs SET args = jsonb_set(args, '{job,request,since}', '\"soon\"')"
            " WHERE args ->> 'tenant' = 't00'"
        )
    assert project("worker", "--jobs", 1, "--until-empty").json["outcomes"] == {"failed": 1, "succeeded": 1}
    (failure,) = read_status(project)["failed"]
    assert (failure["tenant"], failure["error"]["message"]) == ("t00", "the job cannot be read.")


def test_an_environment_has_a_queue_of_its_own(create_queue_world):
    _, project, _ = create_queue_world(1)
    project.declare(environments={"production": {"lake": {"url": f"{project.lake}/production"}}})
    assert project("run", "--all", "--queue", "--env", "production").json["queued"] == ["t00"]
    assert project("run", "--all", "--queue").json["queued"] == ["t00"]
    assert project("worker", "--jobs", 1, "--until-empty").json["outcomes"] == {"succeeded": 1}
    status = project("queue", "status", "--env", "production").json
    assert (status["waiting"], status["queue"].partition("@")[0]) == (1, "toys/production")


def test_a_paused_queue_waits(create_queue_world, start_machine):
    _, project, _ = create_queue_world(1)
    project("run", "--all", "--queue")
    assert project("queue", "pause").json == {"paused": True, "changed": True}
    machine = start_machine(project, "--jobs", 1, "--until-empty")
    wait_until(lambda: read_status(project)["workers"])
    assert read_status(project)["running"] == []
    assert "paused since" in project.run_in_process("queue", "status").out
    project("queue", "resume")
    assert '"succeeded":1' in machine.end()


def test_a_queue_without_postgres_is_refused(create_queue_world):
    _, project, _ = create_queue_world(1)
    project.declare(ledger={"url": "sqlite:///.headwater/ledger.db"})
    for words in (("run", "--all", "--queue"), ("worker", "--until-empty"), ("queue", "status")):
        error = project(*words, code=2).error
        assert error["message"] == "A queue needs a ledger on Postgres."
        assert error["at"].startswith("headwater.yaml:")
        assert "ledger move" in error["fix"]
    assert "contradict" in project("run", "--all", "--queue", "--jobs", 2, code=2).error["message"]
    assert "needs `--all`" in project("run", "--queue", code=2).error["message"]


@pytest.mark.slow
def test_sigterm_stops_at_a_page_and_the_tenant_goes_on_from_there(create_queue_world, start_machine):
    service, project, single = create_queue_world(2, delay=0.7)
    project("run", "--all", "--queue")
    machine = start_machine(project, "--jobs", 1, "--grace", "1s")
    wait_until(lambda: len(service.asked) >= 2)
    out = machine.stop()
    assert machine.process.returncode == 0
    assert '"put_back":1' in out
    assert "draining" in machine.read_log()
    status = read_status(project)
    assert (status["waiting"], status["running"], status["workers"]) == (2, [], [])
    service.delay = 0
    assert project("worker", "--jobs", 1, "--until-empty").json["outcomes"] == {"succeeded": 2}
    requests = len(service.asked)
    single("run", "--all", "--jobs", 1)
    assert project.read_rows() == single.read_rows()
    # A page that was in the lake is not requested again. The page in progress of each resource may have been.
    assert requests <= len(service.asked) - requests + 2


@pytest.mark.long
def test_a_second_signal_exits_at_once_and_the_next_worker_takes_up_the_tenant(create_queue_world, start_machine):
    service, project, _ = create_queue_world(1)
    service.gated = "t00"
    service.gate.clear()
    project("run", "--all", "--queue")
    machine = start_machine(project, "--jobs", 1, "--grace", "60s")
    wait_until(lambda: service.asked)
    for _ in range(2):
        machine.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "draining" in machine.read_log())
    machine.end(seconds=10)
    assert machine.process.returncode == 130
    service.gate.set()
    report = project("worker", "--jobs", 1, "--until-empty").json
    assert report["outcomes"]["succeeded"] == 1
    assert read_status(project)["failed"] == []


@pytest.mark.slow
def test_a_long_run_is_not_taken_from_a_live_worker_and_a_hung_worker_does_not_spoil_it(
    create_queue_world, tmp_path, start_machine
):
    service, project, single = create_queue_world(2)
    service.gated = "t00"
    service.gate.clear()
    project("run", "--all", "--queue")
    first = start_machine(project, *QUICK, "--jobs", 1)
    wait_until(lambda: list_running(project) == ["t00"] and "t00" in service.asked)
    second = start_machine(project.copy(tmp_path / "second"), *QUICK, "--jobs", 1)
    wait_until(lambda: "tenant=t01 outcome=succeeded" in second.read_log())
    wait_for_silence = 5
    assert second.process.poll() is None
    with pytest.raises(AssertionError):
        wait_until(lambda: "taken_up" in second.read_log(), seconds=wait_for_silence)
    # Now the first worker stands still, and only the process of its tenant goes on.
    first.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: "taken_up tenant=t00" in second.read_log())
    wait_until(lambda: "tenant=t00 outcome=leased" in second.read_log())
    first.process.send_signal(signal.SIGCONT)
    service.gate.set()
    wait_until(lambda: "registered_again" in first.read_log() or "taken_over" in first.read_log())
    wait_until(lambda: "tenant=t00 outcome=succeeded" in first.read_log() + second.read_log())
    for machine in (first, second):
        machine.stop()
    single("run", "--all", "--jobs", 1)
    assert project.read_rows() == single.read_rows()
    assert read_status(project)["waiting"] == 0


@pytest.mark.long
def test_a_worker_that_was_called_dead_and_gets_its_own_job_back_does_not_run_it_twice(
    create_queue_world, tmp_path, start_machine
):
    service, project, _ = create_queue_world(1)
    service.gated = "t00"
    service.gate.clear()
    project("run", "--all", "--queue")
    first = start_machine(project, *QUICK, "--jobs", 2)
    wait_until(lambda: service.asked)
    first.process.send_signal(signal.SIGSTOP)
    second = start_machine(project.copy(tmp_path / "second"), *QUICK, "--jobs", 1)
    wait_until(lambda: "tenant=t00 outcome=leased" in second.read_log())
    second.stop()
    first.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "registered_again" in first.read_log())
    # The job waits for some seconds, and then only the first worker is there to take it.
    wait_until(lambda: list_running(project) == ["t00"])
    service.gate.set()
    wait_until(lambda: "tenant=t00 outcome=succeeded" in first.read_log())
    assert first.stop().count('"succeeded":1') == 1
    assert "leased" not in first.read_log()
    assert read_status(project)["waiting"] == 0


@contextmanager
def cut_off(url):
    """Let nobody into a database while the block runs."""
    name = urlsplit(url).path.strip("/")
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


@pytest.mark.long
def test_a_worker_waits_for_a_server_that_is_away(create_queue_world, start_machine):
    _, project, _ = create_queue_world(1)
    machine = start_machine(project, *QUICK, "--jobs", 1)
    wait_until(lambda: "worker_started" in machine.read_log())
    with cut_off(project.warehouse):
        wait_until(lambda: "the server of the queue cannot be reached" in machine.read_log())
    project("run", "--all", "--queue")
    wait_until(lambda: "tenant=t00 outcome=succeeded" in machine.read_log())
    # The same trouble is reported once, not at each attempt.
    assert machine.read_log().count("error trouble") <= 3
    assert "put_back" not in machine.stop()


@pytest.mark.long
def test_a_tenant_whose_ledger_went_away_runs_again(create_queue_world, start_machine):
    service, project, single = create_queue_world(2)
    service.gated = "t00"
    service.gate.clear()
    project("run", "--all", "--queue")
    machine = start_machine(project, *QUICK, "--jobs", 1)
    wait_until(lambda: "t00" in service.asked)
    with cut_off(project.warehouse):
        service.gate.set()
        wait_until(lambda: "error trouble" in machine.read_log())
    # The lease of the run that could not release it expires after a minute.
    wait_until(lambda: machine.read_log().count("outcome=succeeded") == 2, seconds=150)
    assert "outcome=put_back" in machine.read_log()
    machine.stop()
    single("run", "--all", "--jobs", 1)
    assert project.read_rows() == single.read_rows()


@pytest.mark.slow
def test_a_worker_follows_its_files_and_says_what_it_leaves_to_others(create_queue_world, tmp_path, start_machine):
    service, project, _ = create_queue_world(1)
    project("run", "--all", "--queue")
    other = project.copy(tmp_path / "second")
    declared = (other.root / "models" / "all.yaml").read_text()
    (other.root / "models" / "all.yaml").write_text(declared.replace("name: T2", "name: T1"))
    assert declared != (other.root / "models" / "all.yaml").read_text()
    machine = start_machine(other, "--jobs", 1)
    wait_until(lambda: "other_queue" in machine.read_log())
    assert service.asked == []
    # The former declarations come back, as with a checkout that is brought up to date.
    (other.root / "models" / "all.yaml").write_text(declared)
    wait_until(lambda: "tenant=t00 outcome=succeeded" in machine.read_log())
    assert "declarations_loaded" in machine.read_log()
    machine.stop()
