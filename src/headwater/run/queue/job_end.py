"""What becomes of a job after its run: it ends with a result, or it waits again. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from headwater.errors import HeadwaterError
from headwater.ledger.queue.records import JobResult, TakenJob
from headwater.run.fleet.report import TenantResult, describe_error

_AGAIN = 5.0
"""Seconds that a job waits that could not run; each attempt doubles them."""

_LONGEST_WAIT = 30.0
"""A lease that nobody releases expires within a minute."""

MOST_ATTEMPTS = 5
"""How often a job is put back because the ledger failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """What becomes of a job."""

    job: TakenJob
    outcome: str
    result: TenantResult | None = None
    delay: timedelta | None = None
    """How long it waits; None if it ends."""


def decide_end(job: TakenJob, result: TenantResult, *, is_draining: bool) -> JobEnd:
    """What becomes of a job after its run. Failures of a tenant are left to the next queueing, as with `run --all`."""
    if result.outcome == "cancelled" and is_draining:
        return JobEnd(job=job, outcome="put_back", result=result, delay=timedelta())
    if result.outcome in ("cancelled", "leased"):
        return wait_again(job, result.outcome, result)
    has_ledger_failed = any(error["kind"] == "StateError" for error in result.errors)
    if result.outcome == "failed" and has_ledger_failed and job.attempts < MOST_ATTEMPTS:
        return wait_again(job, "put_back", result)
    return JobEnd(job=job, outcome=result.outcome, result=result)


def wait_again(job: TakenJob, outcome: str, result: TenantResult | None = None) -> JobEnd:
    """Let a job wait for a while, longer after each attempt."""
    seconds = min(_AGAIN * 2 ** min(job.attempts, 10), _LONGEST_WAIT)
    return JobEnd(job=job, outcome=outcome, result=result, delay=timedelta(seconds=seconds))


def end_unreadable(job: TakenJob, error: Exception) -> JobEnd:
    """End a job whose content cannot be read: it would fail on each worker."""
    unreadable = HeadwaterError(
        "the job cannot be read.",
        where=job.tenant,
        details=type(error).__name__,
        hint="`headwater run --all --queue` puts another one",
    )
    result = TenantResult(tenant=job.tenant, outcome="failed", errors=(describe_error(unreadable),))
    return JobEnd(job=job, outcome="failed", result=result)


def build_result(end: JobEnd, *, owner: str) -> JobResult | None:
    """The result that the queue keeps; None if the tenant did not run."""
    if end.result is None:
        return None
    return JobResult(
        tenant=end.result.tenant,
        outcome=end.result.outcome,
        seconds=end.result.seconds,
        owner=owner,
        error=next(iter(end.result.errors), None),
    )
