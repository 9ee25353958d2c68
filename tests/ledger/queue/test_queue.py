"""The transactions of the queue, on a real server."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from procrastinate.schema import SchemaManager

from headwater.errors import StateError
from headwater.ledger.lease_owner import build_lease_owner
from headwater.ledger.queue.connection import connect_once
from headwater.ledger.queue.overview import read_overview
from headwater.ledger.queue.queue import TenantQueue
from headwater.ledger.queue.records import JobResult, NewJob, Registration, Scope
from headwater.ledger.queue.schema import has_schema, name_schema, prepare_schema
from headwater.ledger.queue.workers import MOST_DEATHS
from tests.ledger.queue.conftest import QUEUE, SCOPE

AT_ONCE = timedelta()


def put(queue, *tenants, name=QUEUE, **more):
    jobs = [
        NewJob(tenant=tenant, content=more, fingerprint=str(more), rank=-rank) for rank, tenant in enumerate(tenants)
    ]
    return queue.put(name, jobs)


def enlist(register, *, owner="", dead_after=60.0, **more):
    """Register a worker of a machine that nobody can look into."""
    owner = owner or "elsewhere:1:boot-ns-1-x"
    registration = Registration(scope=SCOPE, queue=QUEUE, owner=owner, jobs=1, dead_after=dead_after)
    return register.register(registration, **more)


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
    order = [queue.take(QUEUE, worker).tenant for _ in range(3)]
    # Equal ranks come in the order in which they were queued.
    assert order == ["north", "west", "south"]
    assert queue.take(QUEUE, worker) is None


def test_commands_that_put_the_same_jobs_at_the_same_moment_put_each_once(queue):
    tenants = [f"t{number:03}" for number in range(200)]
    results, failures = [], []

    def command(seed):
        order = random.Random(seed).sample(tenants, len(tenants))
        try:
            results.append(put(queue, *order))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=command, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(map(str, failures)) == []
    assert sorted(tenant for result in results for tenant in result.queued) == tenants
    assert count_rows(queue, "procrastinate_jobs") == len(tenants)


def test_another_request_for_a_tenant_waits_beside_the_first_but_never_runs_beside_it(queue, register):
    put(queue, "north")
    assert put(queue, "north", since="2026-01-01").queued == ("north",)
    worker, _ = enlist(register)
    first = queue.take(QUEUE, worker)
    assert queue.take(QUEUE, worker) is None
    queue.end(first, worker, result=None)
    assert queue.take(QUEUE, worker).content == {"since": "2026-01-01"}


def test_only_the_holder_ends_a_job_or_puts_it_back(queue, register):
    put(queue, "north")
    (first, _), (second, _) = enlist(register), enlist(register)
    job = queue.take(QUEUE, first)
    assert not queue.end(job, second, result=None)
    assert not queue.put_back(job, second, delay=AT_ONCE)
    assert queue.put_back(job, first, delay=AT_ONCE)
    assert not queue.end(job, first, result=None)
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
    assert queue.end(successor, worker, result=None)
    assert queue.is_empty(QUEUE)


def test_a_job_that_is_put_back_with_a_delay_is_not_taken_before(queue, register):
    worker, _ = enlist(register)
    put(queue, "north")
    queue.put_back(queue.take(QUEUE, worker), worker, delay=timedelta(seconds=0.6))
    assert queue.take(QUEUE, worker) is None
    threading.Event().wait(0.8)
    assert queue.take(QUEUE, worker).tenant == "north"


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
    assert not queue.end(lost, silent, result=None)
    assert queue.take(QUEUE, patient).id == lost.id
    assert queue.end(kept, patient, result=None)


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
    again, adopted = enlist(register, former=worker, job_ids=[job.id for job in jobs])
    assert adopted == {jobs[0].id}
    assert register.take_up(SCOPE) == ()
    assert queue.end(jobs[0], again, result=None)
    assert not queue.end(jobs[1], again, result=None)


def test_a_worker_that_registers_again_before_anybody_noticed_keeps_its_jobs(queue, register):
    worker, _ = enlist(register)
    put(queue, "north")
    job = queue.take(QUEUE, worker)
    again, adopted = enlist(register, former=worker, job_ids=[job.id])
    assert adopted == {job.id}
    assert not register.beat(worker)
    assert queue.end(job, again, result=None)


def test_a_job_that_a_worker_took_without_knowing_waits_again(queue, register):
    worker, _ = enlist(register)
    put(queue, "north", "south")
    known = queue.take(QUEUE, worker)
    queue.take(QUEUE, worker)
    assert queue.put_back_unknown(worker, job_ids=[known.id]) == 1
    assert queue.take(QUEUE, worker).tenant == "south"


def test_a_tenant_with_which_each_worker_dies_is_given_up_and_another_queueing_tries_again(queue, register):
    put(queue, "north")
    for death in range(1, MOST_DEATHS + 1):
        worker, _ = enlist(register)
        with queue.connection.transaction() as tx:
            tx.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
        assert queue.take(QUEUE, worker).tenant == "north"
        age_heartbeat(queue, worker, 100)
        (takeover,) = register.take_up(SCOPE)
        assert (takeover.deaths, takeover.is_given_up) == (death, death == MOST_DEATHS)
    assert queue.is_empty(QUEUE)
    assert put(queue, "north").queued == ("north",)
    worker, _ = enlist(register)
    job = queue.take(QUEUE, worker)
    queue.end(job, worker, result=JobResult(tenant="north", outcome="succeeded"))
    with queue.connection.transaction() as tx:
        row = tx.execute("SELECT outcome, deaths FROM queue_tenant").fetchone()
    assert row == {"outcome": "succeeded", "deaths": 0}


def test_ended_jobs_leave_one_row_a_tenant(queue, register):
    worker, _ = enlist(register)
    for _ in range(3):
        put(queue, "north", "south")
        for outcome in ("succeeded", "failed"):
            job = queue.take(QUEUE, worker)
            result = JobResult(tenant=job.tenant, outcome=outcome, owner="me", error={"message": "no"})
            queue.end(job, worker, result=result)
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
    put(other, "north", name="other@1")
    worker, _ = enlist(register)
    assert queue.take(QUEUE, worker) is None
    assert queue.count_foreign(QUEUE) == {"other@1": 1, "shop@old": 1}
    assert put(queue, "north").waiting == ("north",)
    assert queue.count_foreign(QUEUE) == {"other@1": 1}
    assert queue.take(QUEUE, worker).tenant == "north"


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
    for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / later).write_text("CREATE TABLE more (id int)")
    monkeypatch.setattr("headwater.ledger.queue.schema.SchemaManager.get_migrations_path", lambda: str(tmp_path))
    prepare_schema(address)
    prepare_schema(address)
    with connect_once(address) as connection:
        assert connection.execute(f"SELECT * FROM {name_schema(address)}.more".encode()).fetchall() == []


def test_a_server_that_is_away_is_an_error_with_its_location_and_without_its_password(address):
    away = type(address)(
        url="postgresql://u:hidden@127.0.0.1:1/db", schema="x", where="postgresql://u:***@127.0.0.1:1/db"
    )
    with pytest.raises(StateError, match="cannot be reached") as caught:
        prepare_schema(away)
    assert "hidden" not in str(caught.value)


def test_the_overview_tells_who_works_and_who_is_dead(queue, register):
    silent, _ = enlist(register, dead_after=5)
    alive, _ = enlist(register, owner=build_lease_owner())
    put(queue, "north", "south", "west")
    queue.take(QUEUE, silent)
    queue.put_back(queue.take(QUEUE, alive), alive, delay=timedelta(minutes=5))
    age_heartbeat(queue, silent, 10)
    overview = read_overview(queue, QUEUE)
    assert [(job.tenant, job.worker) for job in overview.running] == [("north", "process 1 on elsewhere")]
    assert [(job.tenant, job.not_before is None, job.attempts) for job in overview.first] == [
        ("west", True, 0),
        ("south", False, 1),
    ]
    assert [(worker.is_alive, worker.is_current) for worker in overview.workers] == [(False, True), (True, True)]
    assert overview.oldest_waiting <= overview.now
    assert [worker.is_current for worker in read_overview(queue, "shop@2").workers] == [False, False]


def test_many_workers_at_once_take_each_job_once_and_no_tenant_twice_at_a_time(queue, register):
    tenants = [f"t{number}" for number in range(25)]
    for turn in range(3):
        put(queue, *tenants, turn=turn)
    ended, in_progress, failures, lock = [], set(), [], threading.Lock()

    def work(seed):
        worker, _ = enlist(register)
        draw = random.Random(seed)
        try:
            while not queue.is_empty(QUEUE):
                if (job := queue.take(QUEUE, worker)) is None:
                    continue
                with lock:
                    assert job.tenant not in in_progress
                    in_progress.add(job.tenant)
                threading.Event().wait(draw.uniform(0, 0.01))
                with lock:
                    in_progress.remove(job.tenant)
                if draw.random() < 0.2:
                    assert queue.put_back(job, worker, delay=AT_ONCE)
                    continue
                assert queue.end(job, worker, result=JobResult(tenant=job.tenant, outcome="succeeded"))
                ended.append((job.tenant, job.content["turn"]))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(map(repr, failures)) == []
    assert sorted(ended) == sorted((tenant, turn) for tenant in tenants for turn in range(3))
