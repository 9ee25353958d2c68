"""The transactions of the queue, on a real server."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headwater.errors import StateError
from headwater.ledger.lease_owner import build_lease_owner
from headwater.plan.state import RunRequest
from headwater.run.fleet.report import TenantResult
from headwater.run.queue.connection import connect_once
from headwater.run.queue.job import Checkout, Scope, TenantJob, dump_job, load_job, name_queueing_lock, read_checkout
from headwater.run.queue.queue import TenantQueue
from headwater.run.queue.schema import has_schema, name_schema, prepare_schema
from headwater.run.queue.workers import MOST_DEATHS, Registration
from tests.run.queue.conftest import QUEUE, SCOPE

AT_ONCE = timedelta()


def put(queue, *tenants, name=QUEUE, **more):
    return queue.put(name, [(TenantJob(tenant=tenant, **more), -rank) for rank, tenant in enumerate(tenants)])


def enlist(register, *, owner="", dead_after=60.0, job_ids=()):
    """Register a worker of a machine that nobody can look into."""
    owner = owner or "elsewhere:1:boot-ns-1-x"
    registration = Registration(scope=SCOPE, queue=QUEUE, owner=owner, jobs=1, dead_after=dead_after)
    return register.register(registration, job_ids=job_ids)


def age_heartbeat(queue, worker, seconds):
    with queue.connection.transaction() as tx:
        tx.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - make_interval(secs => %s) WHERE id = %s",
            [seconds, worker],
        )


def count_rows(queue, table):
    with queue.connection.transaction() as tx:
        return tx.execute(f"SELECT count(*) AS n FROM {table}".encode()).fetchone()["n"]


def test_the_most_overdue_comes_first_and_the_same_job_waits_only_once(queue, register):
    assert put(queue, "north", "south").queued == ("north", "south")
    again = put(queue, "west", "south")
    assert (again.queued, again.waiting) == (("west",), ("south",))
    worker, _ = enlist(register)
    order = [queue.take(QUEUE, worker).job.tenant for _ in range(3)]
    # Equal ranks come in the order in which they were queued.
    assert order == ["north", "west", "south"]
    assert queue.take(QUEUE, worker) is None


def test_another_request_for_a_tenant_waits_beside_the_first_but_never_runs_beside_it(queue, register):
    put(queue, "north")
    backfill = RunRequest(since=datetime(2026, 1, 1, tzinfo=UTC), connections=frozenset({"desk"}))
    assert put(queue, "north", request=backfill).queued == ("north",)
    worker, _ = enlist(register)
    first = queue.take(QUEUE, worker)
    assert queue.take(QUEUE, worker) is None
    queue.end(first, worker, owner="", result=None)
    assert queue.take(QUEUE, worker).job.request == backfill


def test_a_job_survives_the_way_through_the_database_without_secret_or_path():
    request = RunRequest(
        since=datetime(2026, 1, 1, tzinfo=UTC),
        layers=frozenset({"raw", "bronze"}),
        chunk=timedelta(days=3),
        source_times={"desk": datetime(2026, 1, 2, tzinfo=UTC)},
        sweep=False,
        fresh=True,
    )
    job = TenantJob(tenant="north", request=request, due=timedelta(hours=1), timeout=timedelta(minutes=30))
    stored = dump_job(job, SCOPE)
    loaded = load_job(stored)
    assert loaded.request.source_times == {}
    assert (loaded.request.layers, loaded.request.chunk, loaded.request.fresh) == (request.layers, request.chunk, True)
    assert (loaded.due, loaded.timeout, loaded.tenant) == (job.due, job.timeout, "north")
    assert stored["format"] == 1


def test_the_lock_of_a_request_is_the_same_in_every_process():
    job = TenantJob(tenant="north", request=RunRequest(layers=frozenset({"raw", "bronze", "silver"})))
    program = (
        "from headwater.run.queue.job import *\nfrom headwater.plan.state import RunRequest\n"
        "job = TenantJob(tenant='north', request=RunRequest(layers=frozenset({'silver', 'raw', 'bronze'})))\n"
        "print(name_queueing_lock(Scope(project='shop', environment=''), job))"
    )
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == name_queueing_lock(SCOPE, job)


def test_only_the_holder_ends_a_job_or_puts_it_back(queue, register):
    put(queue, "north")
    (first, _), (second, _) = enlist(register), enlist(register)
    job = queue.take(QUEUE, first)
    assert not queue.end(job, second, owner="", result=None)
    assert not queue.put_back(job, second, delay=AT_ONCE)
    assert queue.put_back(job, first, delay=AT_ONCE)
    assert not queue.end(job, first, owner="", result=None)
    again = queue.take(QUEUE, second)
    assert (again.id, again.attempts) == (job.id, 1)


def test_a_job_that_is_put_back_does_not_wait_beside_its_successor(queue, register):
    worker, _ = enlist(register)
    put(queue, "north")
    job = queue.take(QUEUE, worker)
    assert put(queue, "north").queued == ("north",)
    assert queue.put_back(job, worker, delay=AT_ONCE)
    successor = queue.take(QUEUE, worker)
    assert successor.id != job.id
    assert queue.end(successor, worker, owner="", result=None)
    assert queue.is_empty(QUEUE)


def test_a_job_that_is_put_back_with_a_delay_is_not_taken_before(queue, register):
    worker, _ = enlist(register)
    put(queue, "north")
    queue.put_back(queue.take(QUEUE, worker), worker, delay=timedelta(seconds=0.6))
    assert queue.take(QUEUE, worker) is None
    threading.Event().wait(0.8)
    assert queue.take(QUEUE, worker).job.tenant == "north"


def test_the_jobs_of_a_silent_worker_wait_again_and_those_of_a_live_one_do_not(queue, register):
    silent, _ = enlist(register, dead_after=5)
    patient, _ = enlist(register, dead_after=60)
    put(queue, "north", "south")
    lost, kept = queue.take(QUEUE, silent), queue.take(QUEUE, patient)
    for worker in (silent, patient):
        age_heartbeat(queue, worker, 10)
    taken = register.take_up(SCOPE)
    assert [(one.tenant, one.deaths, one.is_given_up) for one in taken] == [("north", 1, False)]
    assert register.take_up(SCOPE) == ()
    assert not queue.end(lost, silent, owner="", result=None)
    assert queue.take(QUEUE, patient).id == lost.id
    assert queue.end(kept, patient, owner="", result=None)


def test_the_jobs_of_a_dead_process_on_this_machine_wait_again_at_once(queue, register):
    program = "from headwater.ledger.lease_owner import build_lease_owner; print(build_lease_owner())"
    dead = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert dead.startswith(socket.gethostname())
    worker, _ = enlist(register, owner=dead)
    live, _ = enlist(register, owner=build_lease_owner())
    put(queue, "north", "south")
    queue.take(QUEUE, worker)
    queue.take(QUEUE, live)
    assert [one.tenant for one in register.take_up(SCOPE)] == ["north"]


def test_a_worker_that_was_called_dead_registers_again_with_what_nobody_took(queue, register):
    worker, _ = enlist(register)
    put(queue, "north", "south")
    jobs = [queue.take(QUEUE, worker) for _ in range(2)]
    assert register.beat(worker)
    with queue.connection.transaction() as tx:
        tx.execute("DELETE FROM procrastinate_workers WHERE id = %s", [worker])
        # Another one has taken the second job over meanwhile.
        tx.execute("UPDATE procrastinate_jobs SET status = 'todo' WHERE id = %s", [jobs[1].id])
    assert not register.beat(worker)
    again, adopted = enlist(register, job_ids=[job.id for job in jobs])
    assert adopted == {jobs[0].id}
    assert register.take_up(SCOPE) == ()
    assert queue.end(jobs[0], again, owner="", result=None)
    assert not queue.end(jobs[1], again, owner="", result=None)


def test_a_job_that_a_worker_took_without_knowing_waits_again(queue, register):
    worker, _ = enlist(register)
    put(queue, "north", "south")
    known = queue.take(QUEUE, worker)
    queue.take(QUEUE, worker)
    assert queue.put_back_unknown(worker, job_ids=[known.id]) == 1
    assert queue.take(QUEUE, worker).job.tenant == "south"


def test_a_tenant_with_which_each_worker_dies_is_given_up_and_another_queueing_tries_again(queue, register):
    put(queue, "north")
    for death in range(1, MOST_DEATHS + 1):
        worker, _ = enlist(register)
        with queue.connection.transaction() as tx:
            tx.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
        assert queue.take(QUEUE, worker).job.tenant == "north"
        age_heartbeat(queue, worker, 100)
        (takeover,) = register.take_up(SCOPE)
        assert (takeover.deaths, takeover.is_given_up) == (death, death == MOST_DEATHS)
    assert queue.is_empty(QUEUE)
    assert put(queue, "north").queued == ("north",)
    worker, _ = enlist(register)
    job = queue.take(QUEUE, worker)
    queue.end(job, worker, owner="me", result=TenantResult(tenant="north", outcome="succeeded"))
    with queue.connection.transaction() as tx:
        row = tx.execute("SELECT outcome, deaths FROM queue_tenant").fetchone()
    assert row == {"outcome": "succeeded", "deaths": 0}


def test_ended_jobs_leave_one_row_a_tenant(queue, register):
    worker, _ = enlist(register)
    for _ in range(3):
        put(queue, "north", "south")
        for outcome in ("succeeded", "failed"):
            job = queue.take(QUEUE, worker)
            result = TenantResult(tenant=job.job.tenant, outcome=outcome, errors=({"message": "no", "kind": "x"},))
            queue.end(job, worker, owner="me", result=result)
    tables = ("procrastinate_jobs", "procrastinate_events", "queue_tenant")
    assert [count_rows(queue, table) for table in tables] == [0, 0, 2]


def test_a_paused_queue_gives_no_job(queue, register):
    worker, _ = enlist(register)
    put(queue, "north")
    assert (queue.pause(), queue.pause()) == (True, False)
    assert queue.take(QUEUE, worker) is None
    assert (queue.resume(), queue.resume()) == (True, False)
    assert queue.take(QUEUE, worker) is not None


def test_jobs_of_another_checkout_wait_until_a_command_of_this_one_moves_them(queue, register):
    other = TenantQueue(queue.connection, Scope(project="other", environment=""))
    put(queue, "north", name="shop@old")
    other.put("other@1", [(TenantJob(tenant="north"), 0)])
    worker, _ = enlist(register)
    assert queue.take(QUEUE, worker) is None
    assert queue.count_foreign(QUEUE) == {"other@1": 1, "shop@old": 1}
    assert put(queue, "north").waiting == ("north",)
    assert queue.count_foreign(QUEUE) == {"other@1": 1}
    assert queue.take(QUEUE, worker).job.tenant == "north"


def test_a_checkout_changes_with_its_declarations_and_not_with_the_ends_of_lines(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "headwater.yaml").write_bytes(b"version: 1\nname: shop\n")
    (tmp_path / "models" / "all.yaml").write_bytes(b"entity: a\n")
    first = read_checkout(tmp_path)
    (tmp_path / ".headwater").mkdir()
    (tmp_path / ".headwater" / "ledger.db").write_bytes(b"x")
    (tmp_path / "headwater.yaml").write_bytes(b"version: 1\r\nname: shop\r\n")
    assert read_checkout(tmp_path) == first
    (tmp_path / "models" / "all.yaml").write_bytes(b"entity: b\n")
    assert read_checkout(tmp_path) != first
    assert Checkout(version="1.0", declarations="abc").name_queue(SCOPE) != first.name_queue(SCOPE)


def test_commands_that_are_the_first_at_the_same_moment_create_one_queue(address):
    assert not has_schema(address)
    failures = []

    def prepare():
        try:
            prepare_schema(address)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=prepare) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(map(str, failures)) == []
    assert has_schema(address)


def test_a_queue_of_a_newer_version_is_refused(address):
    prepare_schema(address)
    with connect_once(address) as connection:
        connection.execute(f"INSERT INTO {name_schema(address)}.queue_migration VALUES ('99.00_later')".encode())
    with pytest.raises(StateError, match="newer version") as caught:
        prepare_schema(address)
    assert caught.value.details == "99.00_later"


def test_a_queue_of_an_older_version_gets_the_migrations_that_it_lacks(address, tmp_path, monkeypatch):
    prepare_schema(address)
    later = "99.00.00_01_more.sql"
    for path in Path(read_migrations_path()).glob("*.sql"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / later).write_text("CREATE TABLE more (id int)")
    monkeypatch.setattr("headwater.run.queue.schema.SchemaManager.get_migrations_path", lambda: str(tmp_path))
    prepare_schema(address)
    prepare_schema(address)
    with connect_once(address) as connection:
        assert connection.execute(f"SELECT * FROM {name_schema(address)}.more".encode()).fetchall() == []


def read_migrations_path():
    from procrastinate.schema import SchemaManager  # noqa: PLC0415

    return SchemaManager.get_migrations_path()


def test_a_server_that_is_away_is_an_error_with_its_location_and_without_its_password(address):
    away = type(address)(
        url="postgresql://u:hidden@127.0.0.1:1/db", schema="x", where="postgresql://u:***@127.0.0.1:1/db"
    )
    with pytest.raises(StateError, match="cannot be reached") as caught:
        prepare_schema(away)
    assert "hidden" not in str(caught.value)
