"""Jobs: what they ask for, in which order they come, whether they are due, and from which checkout they are."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from headwater.clock import EPOCH
from headwater.ledger.queue.records import Scope, TakenJob
from headwater.plan.state import RunRequest
from headwater.run.queue.job import Checkout, TenantJob, build_job, is_due, load_job, rank_tenant, read_checkout

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATE = datetime(2500, 1, 1, tzinfo=UTC)
SCOPE = Scope(project="shop", environment="production")


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
    stored = build_job(job, rank=0)
    content = json.loads(json.dumps(stored.content))
    loaded = load_job(TakenJob(id=1, tenant="north", content=content, attempts=0, now=NOW))
    assert loaded.request.source_times == {}
    assert (loaded.request.layers, loaded.request.chunk, loaded.request.fresh) == (request.layers, request.chunk, True)
    assert (loaded.due, loaded.timeout, loaded.tenant) == (job.due, job.timeout, "north")


def test_the_fingerprint_of_a_request_is_the_same_in_every_process():
    job = TenantJob(tenant="north", request=RunRequest(layers=frozenset({"raw", "bronze", "silver"})))
    program = (
        "from headwater.run.queue.job import *\nfrom headwater.plan.state import RunRequest\n"
        "job = TenantJob(tenant='north', request=RunRequest(layers=frozenset({'silver', 'raw', 'bronze'})))\n"
        "print(build_job(job, rank=0).fingerprint)"
    )
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == build_job(job, rank=0).fingerprint


def test_a_checkout_changes_with_its_declarations_and_not_with_the_ends_of_lines(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "headwater.yaml").write_bytes(b"version: 1\nname: shop\n")
    (tmp_path / "models" / "all.yaml").write_bytes(b"entity: a\n")
    first = read_checkout(tmp_path)
    (tmp_path / ".headwater").mkdir()
    (tmp_path / ".headwater" / "ledger.db").write_bytes(b"x")
    (tmp_path / "headwater.yaml").write_bytes(b"version: 1\r\nname: shop\r\n")
    (tmp_path / "models" / ".all.yaml.swp").write_bytes(b"x")
    (tmp_path / "models" / "all.yaml~").write_bytes(b"x")
    assert read_checkout(tmp_path) == first
    (tmp_path / "models" / "all.yaml").write_bytes(b"entity: b\n")
    assert read_checkout(tmp_path) != first
    (tmp_path / "models" / "all.yaml").write_bytes(b"entity: a\n")
    assert read_checkout(tmp_path) == first
    monkeypatch.setattr("headwater.run.queue.job.list_plugin_versions", lambda: ("headwater-acme==2.0",))
    assert read_checkout(tmp_path) != first
    assert Checkout(version="1.0", declarations="abc").name_queue(SCOPE) != first.name_queue(SCOPE)


def test_the_longest_ago_comes_first_whenever_it_is_asked():
    assert rank_tenant(None, now=NOW) == rank_tenant(EPOCH, now=NOW) == 0
    order = [rank_tenant(at, now=NOW) for at in (None, NOW - 2 * HOUR, NOW - HOUR, NOW)]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == 4
    assert rank_tenant(NOW - HOUR, now=NOW) == rank_tenant(NOW - HOUR, now=NOW + 5 * HOUR)
    assert rank_tenant(NOW + HOUR, now=NOW) == rank_tenant(NOW, now=NOW)
    # Procrastinate stores an integer of four bytes.
    assert rank_tenant(None, now=NOW) > rank_tenant(LATE, now=LATE) > -(2**31)


@pytest.mark.parametrize(
    ("last_success", "due"),
    [(None, True), (NOW - HOUR, True), (NOW - HOUR / 2, False), (NOW + HOUR, True)],
)
def test_a_job_is_due_if_nothing_succeeded_lately_and_a_success_of_the_future_says_nothing(last_success, due):
    assert is_due(TenantJob(tenant="north", due=HOUR), last_success, now=NOW) is due
    assert is_due(TenantJob(tenant="north"), last_success, now=NOW)
