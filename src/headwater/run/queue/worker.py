"""`headwater worker`: takes jobs from the queue, and runs their tenants in a pool of processes.

A worker that dies loses nothing: another one takes up its jobs. A worker that is only cut off from the queue goes on, and
what it holds is protected by the leases of the ledger, so that no two workers write one tenant.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from headwater.errors import DeclarationError, HeadwaterError, StateError
from headwater.ledger.base import Ledger, RunOutcome
from headwater.ledger.lease_owner import build_lease_owner
from headwater.ledger.queue.queue import TenantQueue
from headwater.ledger.queue.records import Registration, TakenJob
from headwater.ledger.queue.workers import WorkerRegister
from headwater.run.fleet.fleet import record_crash
from headwater.run.fleet.pool import GRACE, WorkerPool
from headwater.run.fleet.report import TenantResult
from headwater.run.fleet.worker import TenantTask, WorkerSettings
from headwater.run.queue.heartbeat import WorkerHeartbeat
from headwater.run.queue.job import Checkout, TenantJob, is_due, load_job, read_checkout
from headwater.run.queue.job_end import JobEnd, build_result, decide_end, end_unreadable, wait_again
from headwater.run.queue.open import open_queue
from headwater.run.queue.results import WorkerEvent, WorkerOptions, WorkerReport
from headwater.run.workspace import Workspace, open_project

_POLL = 1.0
"""Seconds between two looks into an empty queue."""

_LAST_ATTEMPTS = 15.0
"""Seconds in which a worker that ends tries to reach a server that is away."""

_SEEN_RUNS = 20
"""The number of runs in which the last successful one of a tenant is searched."""


def run_worker(
    workspace: Workspace,
    options: WorkerOptions,
    *,
    environment: str = "",
    stop: Callable[[], bool],
    listen: Callable[[WorkerEvent], None],
) -> WorkerReport:
    """Serve the queue of a project until a stop is requested, or the queue is empty."""
    started = workspace.clock.monotonic()
    with open_queue(workspace, environment=environment, create=True) as queue:
        worker = QueueWorker(workspace, queue, options, listen)
        worker.run(stop)
    return WorkerReport(seconds=workspace.clock.monotonic() - started, outcomes=dict(worker.outcomes))


class QueueWorker:
    """A worker. Use `run` once."""

    def __init__(
        self, workspace: Workspace, queue: TenantQueue, options: WorkerOptions, listen: Callable[[WorkerEvent], None]
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self._workspace, self._queue, self._options, self._listen = workspace, queue, options, listen
        self._clock = workspace.clock
        self._checkout = read_checkout(workspace.root)
        self._register = WorkerRegister(queue.connection)
        self._owner = build_lease_owner()
        settings = WorkerSettings(root=workspace.root, environment=queue.scope.environment)
        self._pool = WorkerPool(settings, jobs=options.jobs, clock=self._clock)
        self._held: dict[str, TakenJob] = {}
        self._job_ends: list[JobEnd] = []
        self._next_take = self._next_end = self._next_check = 0.0
        self._drains_since: float | None = None
        self._is_idle = False
        self._trouble = ""
        self._foreign: Mapping[str, int] = {}
        self._worker, _ = self._register.register(self._build_registration())
        self._heartbeat = self._start_heartbeat()

    @property
    def _queue_name(self) -> str:
        return self._checkout.name_queue(self._queue.scope)

    @property
    def _job_ids(self) -> list[int]:
        return [job.id for job in (*self._held.values(), *(end.job for end in self._job_ends))]

    def run(self, stop: Callable[[], bool]) -> None:
        """Work until a stop is requested, or the queue is empty."""
        self._report("worker_started", queue=self._queue_name, jobs=self._options.jobs)
        try:
            while True:
                if stop():
                    self._drain()
                else:
                    self._take_jobs()
                for result in self._pool.collect():
                    self._job_ends.append(self._decide(self._held.pop(result.tenant), result))
                    self._next_take = self._next_end = 0.0
                self._end_jobs()
                self._check()
                if self._has_finished():
                    return
        finally:
            self._close()

    def _has_finished(self) -> bool:
        if self._held:
            return False
        if self._drains_since is not None:
            waited = self._clock.monotonic() - self._drains_since
            limit = self._options.grace.total_seconds() + GRACE + _LAST_ATTEMPTS
            return not self._job_ends or waited > limit
        return self._options.until_empty and self._is_idle and not self._job_ends and self._is_queue_empty()

    def _is_queue_empty(self) -> bool:
        self._is_idle = False
        try:
            return self._queue.is_empty(self._queue_name)
        except StateError as error:
            self._report_trouble(error)
            return False

    # taking
    def _take_jobs(self) -> None:
        while self._pool.has_room and self._clock.monotonic() >= self._next_take:
            self._end_jobs()
            if self._job_ends:
                # The queue cannot be reached. Otherwise, a job could come back that this worker has already run.
                return
            job = self._take() if self._follow_checkout() else None
            if job is None:
                self._is_idle = True
                self._next_take = self._clock.monotonic() + _POLL * random.uniform(0.8, 1.2)
                return
            self._is_idle = False
            self._begin(job)

    def _take(self) -> TakenJob | None:
        try:
            job = self._queue.take(self._queue_name, self._worker)
        except StateError as error:
            self._report_trouble(error)
            return None
        self._trouble = ""
        return job

    def _begin(self, taken: TakenJob) -> None:
        """Start a job, unless its tenant was removed or is no longer due."""
        try:
            job = load_job(taken)
        except (ValueError, DeclarationError) as error:
            self._job_ends.append(end_unreadable(taken, error))
            return
        try:
            outcome = self._find_reason_to_skip(job, taken.now)
        except HeadwaterError as error:
            self._report_trouble(error)
            self._job_ends.append(wait_again(taken, "put_back"))
            return
        if outcome:
            self._job_ends.append(JobEnd(job=taken, outcome=outcome))
            return
        self._start(taken, job)

    def _start(self, taken: TakenJob, job: TenantJob) -> None:
        running = self._held.get(taken.tenant)
        if running is not None and running.id != taken.id:
            self._job_ends.append(wait_again(taken, "leased"))
            return
        self._held[taken.tenant] = taken
        if running is not None:
            # This worker was called dead, and now its own job came back, which it still runs.
            return
        self._pool.start(TenantTask(tenant=taken.tenant, request=job.request, timeout=job.timeout))

    def _find_reason_to_skip(self, job: TenantJob, now: datetime) -> str:
        if job.tenant not in self._workspace.list_tenants():
            return "removed"
        last_success = _find_last_success(self._workspace.ledger, job.tenant) if job.due else None
        return "" if is_due(job, last_success, now=now) else "not_due"

    def _follow_checkout(self) -> bool:
        """Load the declarations again if a file has changed. False if they are invalid, so that no job is taken."""
        try:
            checkout = read_checkout(self._workspace.root)
            if checkout != self._checkout:
                self._load(checkout)
        except (HeadwaterError, OSError) as error:
            self._report_trouble(error)
            return False
        return True

    def _load(self, checkout: Checkout) -> None:
        workspace = open_project(self._workspace.root, environment=self._queue.scope.environment)
        self._register.move(self._worker, checkout.name_queue(self._queue.scope))
        self._workspace.__exit__(None, None, None)
        self._workspace, self._checkout = workspace, checkout
        self._pool.renew()
        self._report("declarations_loaded", queue=self._queue_name)

    # ending
    def _decide(self, job: TakenJob, result: TenantResult) -> JobEnd:
        if result.outcome in ("crashed", "timed_out"):
            with suppress(StateError):
                record_crash(self._workspace.ledger, result.tenant)
        return decide_end(job, result, is_draining=self._drains_since is not None)

    def _end_jobs(self) -> None:
        """Tell the queue what became of jobs. If it cannot be reached, try again later."""
        if self._clock.monotonic() < self._next_end:
            return
        while self._job_ends:
            end = self._job_ends[0]
            try:
                is_mine = self._save(end)
            except StateError as error:
                self._report_trouble(error)
                self._next_end = self._clock.monotonic() + _POLL
                return
            self._job_ends.pop(0)
            outcome = end.outcome if is_mine else "taken_over"
            self.outcomes[outcome] += 1
            self._report_outcome(end, outcome)

    def _save(self, end: JobEnd) -> bool:
        if end.delay is not None:
            return self._queue.put_back(end.job, self._worker, delay=end.delay)
        return self._queue.end(end.job, self._worker, result=build_result(end, owner=self._owner))

    def _drain(self) -> None:
        """Take no more jobs, and let the tenants in progress end: by themselves, then at a page, then at once."""
        now, grace = self._clock.monotonic(), self._options.grace.total_seconds()
        if self._drains_since is None:
            self._drains_since = now
            self._report("draining", tenants=len(self._held), grace=f"{grace:.0f}s")
        if now - self._drains_since >= grace:
            self._pool.stop()
        if now - self._drains_since >= grace + GRACE:
            self._pool.kill()

    def _close(self) -> None:
        self._pool.close()
        self._heartbeat.close()
        if self._held or self._job_ends:
            # Another worker takes them up: this process will be dead.
            self._report("jobs_left", tenants=len(self._held) + len(self._job_ends))
            return
        with suppress(StateError):
            self._register.unregister(self._worker)

    # keeping order
    def _check(self) -> None:
        """Take up what dead workers left, and what this one lost."""
        if self._clock.monotonic() < self._next_check and not self._heartbeat.is_lost:
            return
        self._next_check = self._clock.monotonic() + min(self._options.dead_after.total_seconds() / 4, 15.0)
        try:
            if self._heartbeat.is_lost:
                self._register_again()
            self._queue.put_back_unknown(self._worker, job_ids=self._job_ids)
            for takeover in self._register.take_up(self._queue.scope):
                state = "given up" if takeover.is_given_up else "waits again"
                self._report("taken_up", takeover.tenant, deaths=takeover.deaths, job=state)
            self._report_foreign(self._queue.count_foreign(self._queue_name))
        except StateError as error:
            self._report_trouble(error)

    def _register_again(self) -> None:
        self._heartbeat.close()
        self._worker, adopted = self._register.register(
            self._build_registration(), former=self._worker, job_ids=self._job_ids
        )
        self._heartbeat = self._start_heartbeat()
        self._report("registered_again", jobs=len(adopted), lost=len(self._job_ids) - len(adopted))

    def _build_registration(self) -> Registration:
        return Registration(
            scope=self._queue.scope,
            queue=self._queue_name,
            owner=self._owner,
            jobs=self._options.jobs,
            dead_after=self._options.dead_after.total_seconds(),
        )

    def _start_heartbeat(self) -> WorkerHeartbeat:
        return WorkerHeartbeat(self._register, self._worker, dead_after=self._options.dead_after.total_seconds())

    # reporting
    def _report(self, name: str, tenant: str = "", **fields: object) -> None:
        self._listen(WorkerEvent(name=name, tenant=tenant, fields=fields))

    def _report_outcome(self, end: JobEnd, outcome: str) -> None:
        result = end.result
        fields: dict[str, object] = {"outcome": outcome}
        if result is not None:
            fields |= {"seconds": result.seconds, "rows": result.rows, "inserted": result.inserted}
            fields["error"] = result.errors[0]["message"] if result.errors else ""
        if end.delay:
            fields["again_in"] = f"{end.delay.total_seconds():.0f}s"
        self._report("job", end.job.tenant, **fields)

    def _report_trouble(self, error: Exception) -> None:
        """Report an error once, until something works again."""
        message = str(error)
        if message != self._trouble:
            self._trouble = message
            self._report("trouble", error=message)

    def _report_foreign(self, foreign: Mapping[str, int]) -> None:
        """Report jobs that this worker does not take: of another project, or queued from another version of this one."""
        if foreign.keys() != self._foreign.keys():
            for queue, count in foreign.items():
                self._report("other_queue", queue=queue, waiting=count, own_queue=self._queue_name)
        self._foreign = foreign


def _find_last_success(ledger: Ledger, tenant: str) -> datetime | None:
    runs = ledger.list_runs(tenant, limit=_SEEN_RUNS)
    return next((run.ended_at for run in runs if run.outcome is RunOutcome.SUCCEEDED), None)
