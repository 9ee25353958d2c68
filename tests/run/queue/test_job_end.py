"""What becomes of a job after its run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headwater.ledger.queue.records import TakenJob
from headwater.run.fleet.report import TenantResult
from headwater.run.queue.job_end import MOST_ATTEMPTS, build_result, decide_end, end_unreadable

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LEDGER = ({"kind": "StateError", "message": "the server of the ledger closed the connection."},)
SERVICE = ({"kind": "TransientError", "message": "no answer"},)


def take(attempts=0):
    return TakenJob(id=1, tenant="north", content={}, attempts=attempts, now=NOW)


@pytest.mark.parametrize(
    ("outcome", "errors", "attempts", "is_draining", "end", "seconds"),
    [
        ("succeeded", (), 0, False, "succeeded", None),
        ("partial", SERVICE, 0, False, "partial", None),
        ("failed", SERVICE, 0, False, "failed", None),
        ("crashed", SERVICE, 0, False, "crashed", None),
        ("timed_out", SERVICE, 0, True, "timed_out", None),
        ("cancelled", (), 7, True, "put_back", 0),
        ("cancelled", (), 0, False, "cancelled", 5),
        ("leased", LEDGER, 0, False, "leased", 5),
        ("leased", LEDGER, 2, True, "leased", 20),
        ("leased", LEDGER, 900, False, "leased", 30),
        ("failed", LEDGER, 1, False, "put_back", 10),
        ("failed", LEDGER, MOST_ATTEMPTS, False, "failed", None),
        ("partial", LEDGER, 0, False, "partial", None),
    ],
)
def test_a_job_ends_or_waits(outcome, errors, attempts, is_draining, end, seconds):
    result = TenantResult(tenant="north", outcome=outcome, errors=errors)
    decided = decide_end(take(attempts), result, is_draining=is_draining)
    assert decided.outcome == end
    assert (None if decided.delay is None else decided.delay.total_seconds()) == seconds
    kept = build_result(decided, owner="me")
    assert (kept.outcome, kept.owner, kept.error) == (outcome, "me", errors[0] if errors else None)


def test_a_job_that_cannot_be_read_fails_at_once():
    end = end_unreadable(take(), ValueError("secret"))
    assert (end.outcome, end.delay) == ("failed", None)
    assert "secret" not in str(build_result(end, owner="me").error)
