"""The worker processes of a fleet: gives them tenants, limits their time, and replaces those that die."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from headwater.clock import Clock
from headwater.errors import HeadwaterError
from headwater.run.fleet.report import TenantOutcome, TenantResult, describe_error
from headwater.run.fleet.worker import TenantEnded, TenantStarted, WorkerSettings, serve_tenants

RECYCLE_ABOVE = 1024**3
"""A worker with more memory than this, in bytes, is replaced after its tenant."""

GRACE = 30.0
"""The most seconds in which a tenant that took too long may stop at a page, before its process is killed."""

_POLL = 0.2


@dataclass(kw_only=True)
class _Worker:
    process: SpawnProcess
    connection: Connection
    tenant: str = ""
    """The tenant in progress; empty if there is none."""
    started: float = 0.0
    has_begun: bool = False
    """Whether it has begun with its tenant. A new process imports its libraries first, which the tenant is not blamed for."""
    stopped_at: float | None = None
    """When it was asked to stop."""
    is_late: bool = False
    """Whether it was asked to stop because its tenant took too long."""

    def stop(self, now: float) -> None:
        if self.stopped_at is None:
            self.stopped_at = now
            self.process.terminate()

    def end(self) -> None:
        """Let the process exit when its tenant has ended."""
        with suppress(OSError):
            self.connection.send(None)
        self.connection.close()


class WorkerPool:
    """Runs tenants in worker processes. Use `run` once."""

    def __init__(self, settings: WorkerSettings, *, jobs: int, timeout: float | None, clock: Clock) -> None:
        self._settings = settings
        self._jobs = jobs
        self._timeout = timeout
        self._clock = clock
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._waiting: deque[str] = deque()

    @property
    def running(self) -> tuple[str, ...]:
        """The tenants in progress."""
        return tuple(worker.tenant for worker in self._workers if worker.tenant)

    def run(self, tenants: Iterable[str], *, stop: Callable[[], bool]) -> Iterator[TenantResult]:
        """Run the tenants in this order, and yield each result. After a stop, those that have not begun are left out."""
        self._waiting = deque(tenants)
        try:
            while self._waiting or self.running:
                if stop():
                    self._stop_all()
                self._assign()
                yield from self._collect()
                self._check_times()
        finally:
            for worker in self._workers:
                worker.stop(self._clock.monotonic())
                worker.end()
            for worker in self._workers:
                worker.process.join(GRACE)
                worker.process.kill()

    def _stop_all(self) -> None:
        self._waiting.clear()
        for worker in self._workers:
            if worker.tenant:
                worker.stop(self._clock.monotonic())

    def _assign(self) -> None:
        """Give a tenant to each idle worker, and start workers up to the limit."""
        while self._waiting:
            idle = next((worker for worker in self._workers if not worker.tenant), None)
            if idle is None:
                if len(self._workers) >= self._jobs:
                    return
                idle = self._start_worker()
            idle.tenant, idle.started, idle.has_begun = self._waiting.popleft(), self._clock.monotonic(), False
            try:
                idle.connection.send(idle.tenant)
            except OSError:
                # It died while it was idle, so the tenant has not begun.
                self._waiting.appendleft(idle.tenant)
                self._remove(idle)

    def _start_worker(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve_tenants, args=(self._settings, theirs), daemon=True)
        process.start()
        theirs.close()
        self._workers.append(worker := _Worker(process=process, connection=ours))
        return worker

    def _collect(self) -> Iterator[TenantResult]:
        by_connection = {worker.connection: worker for worker in self._workers if worker.tenant}
        for connection in wait(list(by_connection), timeout=_POLL):
            worker = by_connection[connection]  # type: ignore[index]
            try:
                message = worker.connection.recv()
            except (EOFError, OSError):
                yield self._report_death(worker)
                continue
            match message:
                case TenantStarted():
                    worker.started, worker.has_begun = self._clock.monotonic(), True
                case TenantEnded():
                    yield self._finish(worker, message)

    def _finish(self, worker: _Worker, ended: TenantEnded) -> TenantResult:
        worker.tenant = ""
        if worker.stopped_at is not None or ended.memory > RECYCLE_ABOVE:
            self._remove(worker)
        if worker.is_late and ended.result.outcome == "cancelled":
            return self._build_result(
                ended.result.tenant, worker, "timed_out", "it took too long, and stopped at a page"
            )
        return ended.result

    def _report_death(self, worker: _Worker) -> TenantResult:
        """The result of a tenant whose process died."""
        tenant = worker.tenant
        self._remove(worker)
        code = worker.process.exitcode
        reason = f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        if worker.is_late:
            return self._build_result(tenant, worker, "timed_out", "it took too long, did not stop, and was killed")
        if worker.stopped_at is not None:
            return TenantResult(tenant=tenant, outcome="cancelled")
        return self._build_result(tenant, worker, "crashed", f"its process died: {reason}")

    def _build_result(self, tenant: str, worker: _Worker, outcome: TenantOutcome, message: str) -> TenantResult:
        seconds = self._clock.monotonic() - worker.started
        hint = "run it again; committed data is safe. If it ran out of memory, use fewer jobs"
        if outcome == "timed_out":
            hint = "run it alone, or with a longer `--tenant-timeout`; committed data is safe"
        error = HeadwaterError(message, where=tenant, details=f"after {seconds:.0f} s", hint=hint)
        return TenantResult(tenant=tenant, outcome=outcome, seconds=round(seconds, 3), errors=(describe_error(error),))

    def _check_times(self) -> None:
        """Ask late tenants to stop, and kill processes that do not."""
        now = self._clock.monotonic()
        for worker in self._workers:
            if not worker.has_begun or not worker.tenant:
                continue
            if self._timeout is not None and now - worker.started > self._timeout and worker.stopped_at is None:
                worker.is_late = True
                worker.stop(now)
            if (
                worker.is_late
                and worker.stopped_at is not None
                and now - worker.stopped_at > min(GRACE, self._timeout or GRACE)
            ):
                worker.process.kill()

    def _remove(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.end()
        worker.process.join(GRACE)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
