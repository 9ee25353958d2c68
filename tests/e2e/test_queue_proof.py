"""Two machines, one of which dies at random again and again, end where one process does: nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import signal
import time

import psycopg
import pytest

DEAD_AFTER = 3


def work_and_die(machines, project, *, seed, lives, seconds):
    """Let workers empty the queue, and disturb one of them at random, `lives` times at most. Returns how often."""
    draw, deaths = random.Random(seed), 0
    deadline = time.monotonic() + 900
    while any(machine.process.poll() is None for machine in machines):
        assert time.monotonic() < deadline, project("queue", "status").out
        time.sleep(draw.uniform(*seconds))
        victim = draw.choice(machines)
        if deaths < lives and victim.process.poll() is None:
            disturb(victim, draw.random())
            deaths += 1
    for machine in machines:
        assert machine.process.wait() == 0, machine.read_log()
    return deaths


def disturb(machine, chance):
    """The machine dies; or only the first process; or it is restarted in order; or it stands still for a while."""
    if chance < 0.75:
        machine.kill(whole=chance < 0.5)
        machine.start()
    elif chance < 0.87:
        machine.stop()
        machine.start()
    else:
        os.killpg(machine.process.pid, signal.SIGSTOP)
        time.sleep(DEAD_AFTER + 1)
        os.killpg(machine.process.pid, signal.SIGCONT)


def check_same_end(project, single, tenants):
    """Compare all rows with those of one process, and what the queue and the ledger tell."""
    rows, expected = project.read_rows(), single.read_rows()
    assert rows.keys() == expected.keys()
    assert {table for table in rows if rows[table] != expected[table]} == set()
    status = project("queue", "status").json
    assert (status["waiting"], status["running"], status["failed"]) == (0, [], [])
    with psycopg.connect(project.warehouse) as db:
        results = db.execute("SELECT tenant, outcome FROM headwater_queue.queue_tenant ORDER BY 1").fetchall()
        left = db.execute("SELECT count(*) FROM headwater_queue.procrastinate_jobs").fetchone()
    assert results == [(tenant, "succeeded") for tenant in sorted(tenants)]
    assert left == (0,)
    return sum(map(len, rows.values()))


def run_proof(
    create_queue_world, start_machine, tmp_path, *, count, lives, seconds, seed, jobs=1, hosts=("", ""), turns=2
):
    service, first, single = create_queue_world(count, delay=0.02)
    tenants = sorted(service.records)
    checkouts = [first, first.copy(tmp_path / "second")]
    figures = []
    for turn in range(turns):
        began = time.monotonic()
        assert sorted(checkouts[turn]("run", "--all", "--queue").json["queued"]) == tenants
        machines = [
            start_machine(
                one, "--jobs", jobs, "--dead-after", f"{DEAD_AFTER}s", "--grace", "1s", "--until-empty", host=host
            )
            for one, host in zip(checkouts, hosts, strict=True)
        ]
        deaths = work_and_die(machines, first, seed=seed + turn, lives=lives, seconds=seconds)
        took = time.monotonic() - began
        assert single("run", "--all", "--jobs", 1).json["outcomes"] == {"succeeded": count}
        rows = check_same_end(first, single, tenants)
        log = "".join(machine.read_log() for machine in machines)
        figures.append(
            f"turn {turn + 1}: {count} tenants, {deaths} disturbances, {log.count('taken_up')} jobs taken up,"
            f" {log.count('outcome=leased')} times leased, {took:.0f} s, {rows} equal rows"
        )
        service.advance(tenants[::3])
    print(*figures, sep="\n")
    return figures


@pytest.mark.slow
def test_six_tenants_and_a_worker_that_dies(create_queue_world, start_machine, tmp_path):
    run_proof(create_queue_world, start_machine, tmp_path, count=6, lives=2, seconds=(4, 6), seed=1, turns=1)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_fifty_tenants_and_a_worker_that_dies_again_and_again(create_queue_world, start_machine, tmp_path):
    # Nobody can look into the processes of another host: only silence shows that a worker is dead, and leases expire.
    options = {"count": 50, "lives": 30, "seconds": (6, 12), "seed": 2, "jobs": 2, "hosts": ("one", "two")}
    run_proof(create_queue_world, start_machine, tmp_path, **options)
