"""Which tenants run, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from headwater.run.fleet.request import FleetRequest, choose_tenants

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


SUCCESSES = {"eu-a": _hours_ago(1), "eu-b": _hours_ago(5), "us-c": _hours_ago(3)}
TENANTS = ("eu-a", "eu-b", "eu-new", "us-c")


def test_those_without_a_success_come_first_then_the_most_overdue():
    assert choose_tenants(TENANTS, SUCCESSES, FleetRequest(), now=NOW) == ("eu-new", "eu-b", "us-c", "eu-a")


def test_a_pattern_selects_by_name():
    assert choose_tenants(TENANTS, SUCCESSES, FleetRequest(pattern="eu-*"), now=NOW) == ("eu-new", "eu-b", "eu-a")


def test_only_those_are_due_whose_last_success_is_old_enough():
    request = FleetRequest(due=timedelta(hours=3))
    assert choose_tenants(TENANTS, SUCCESSES, request, now=NOW) == ("eu-new", "eu-b", "us-c")


def test_a_success_in_the_future_keeps_nobody_from_being_due():
    # The clock was set back, or the ledger is shared with a machine whose clock is fast.
    request = FleetRequest(due=timedelta(hours=3))
    assert choose_tenants(("a",), {"a": NOW + timedelta(days=300)}, request, now=NOW) == ("a",)


def test_a_single_job_without_a_time_limit_needs_no_process():
    assert FleetRequest(jobs=1).is_in_process
    assert not FleetRequest(jobs=2).is_in_process
    assert not FleetRequest(jobs=1, timeout=timedelta(minutes=1)).is_in_process
