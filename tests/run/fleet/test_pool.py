"""The processes of a fleet: one that needs too much memory is replaced after its tenant."""

from __future__ import annotations

import multiprocessing

import pytest

from headwater.clock import SystemClock
from headwater.run.fleet import pool
from headwater.run.fleet.worker import TenantTask, WorkerSettings, measure_memory

PROJECT = "version: 1\nname: empty\ntenants: {a: {}, b: {}}\n"


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "processes"), [(pool.RECYCLE_ABOVE, 1), (0, 2)], ids=["below", "above"])
def test_a_worker_with_too_much_memory_is_replaced(tmp_path, monkeypatch, limit, processes):
    monkeypatch.setattr(pool, "RECYCLE_ABOVE", limit)
    (tmp_path / "headwater.yaml").write_text(PROJECT)
    settings = WorkerSettings(root=tmp_path, environment="")
    started, before, outcomes = set(), {child.pid for child in multiprocessing.active_children()}, []
    workers = pool.WorkerPool(settings, jobs=1, clock=SystemClock())

    def note_processes():
        started.update(child.pid for child in multiprocessing.active_children() if child.pid not in before)
        return False

    # `stop` is asked between all steps of the pool, so it sees each process.
    for result in workers.run([TenantTask(tenant="a"), TenantTask(tenant="b")], stop=note_processes):
        outcomes.append((result.tenant, result.outcome))
        assert len(started) <= len(outcomes)
    assert outcomes == [("a", "succeeded"), ("b", "succeeded")]
    assert len(started) == processes
    assert {child.pid for child in multiprocessing.active_children()} == before


def test_the_memory_of_a_process_is_that_of_now():
    before = measure_memory()
    block = bytearray(64 * 1024 * 1024)
    block[::4096] = b"x" * len(block[::4096])
    grown = measure_memory()
    del block
    assert grown - before > 48 * 1024 * 1024
    assert measure_memory() < grown - 32 * 1024 * 1024
