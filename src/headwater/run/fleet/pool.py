"""The worker processes of a fleet: gives them tenants, limits their time, and replaces those that die."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import NoReturn

from headwater.clock import Clock
from headwater.errors import HeadwaterError
from headwater.run.fleet.report import TenantOutcome, TenantResult, describe_error
from headwater.run.fleet.worker import TenantEnded, TenantStarted, TenantTask, WorkerSettings, serve_tenants
from headwater.run.signals import exit_now

RECYCLE_ABOVE = 1024**3
"""A worker with more memory than this, in bytes, is replaced after its tenant."""

GRACE = 30.0
"""The most seconds in which a tenant that took too long may stop at a page, before its process is killed."""

_POLL = 0.2


def exit_with_workers() -> NoReturn:
    """End this process and all worker processes at once. What is needed is committed, so an exit loses nothing."""
    for process in multiprocessing.active_children():
        process.kill()
    exit_now()


@dataclass(kw_only=True)
class _Worker:
    process: SpawnProcess
    connection: Connection
    task: TenantTask | None = None
    """The tenant in progress."""
    started: float = 0.0
    has_begun: bool = False
    """Whether it has begun with its tenant. A new process imports its libraries first, which the tenant is not blamed for."""
    stopped_at: float | None = None
    """When it was asked to stop."""
    is_late: bool = False
    """Whether it was asked to stop because its tenant took too long."""
    is_outdated: bool = False
    """Whether it loaded declarations that have changed since."""

    @property
    def tenant(self) -> str:
        return self.task.tenant if self.task else ""

    @property
    def timeout(self) -> float | None:
        timeout = self.task.timeout if self.task else None
        return None if timeout is None else timeout.total_seconds()

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
    """Runs tenants in worker processes: all tenants of a list with `run`, or one after another with `start` and `collect`."""

    def __init__(self, settings: WorkerSettings, *, jobs: int, clock: Clock) -> None:
        self._settings = settings
        self._jobs = jobs
        self._clock = clock
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []

    @property
    def running(self) -> tuple[str, ...]:
        """The tenants in progress."""
        return tuple(worker.tenant for worker in self._workers if worker.task)

    @property
    def has_room(self) -> bool:
        """Whether another tenant can start."""
        return len(self.running) < self._jobs

    def run(self, tasks: Iterable[TenantTask], *, stop: Callable[[], bool]) -> Iterator[TenantResult]:
        """Run the tasks in this order, and yield each result. After a stop, those that have not begun are left out."""
        waiting = deque(tasks)
        try:
            while waiting or self.running:
                if stop():
                    waiting.clear()
                    self.stop()
                while waiting and self.has_room:
                    self.start(waiting.popleft())
                yield from self.collect()
        finally:
            self.close()

    def start(self, task: TenantTask) -> None:
        """Give a task to an idle process, or to a new one. Only if there is room."""
        while True:
            worker = next((worker for worker in self._workers if not worker.task), None) or self._start_worker()
            worker.task, worker.started, worker.has_begun = task, self._clock.monotonic(), False
            try:
                worker.connection.send(task)
            except OSError:
                # It died while it was idle, so the tenant has not begun.
                self._remove(worker)
                continue
            return

    def collect(self) -> Iterator[TenantResult]:
        """Wait for a moment, and yield the results of the tenants that have ended."""
        yield from self._receive()
        self._check_times()

    def stop(self) -> None:
        """Ask all tenants in progress to stop at a page."""
        for worker in self._workers:
            if worker.task:
                worker.stop(self._clock.monotonic())

    def kill(self) -> None:
        """End the processes of all tenants in progress. Their results say that they were cancelled."""
        self.stop()
        for worker in self._workers:
            if worker.task:
                worker.process.kill()

    def renew(self) -> None:
        """Let the next tenants run in new processes, which load the declarations again."""
        for worker in list(self._workers):
            worker.is_outdated = True
            if not worker.task:
                self._remove(worker)

    def close(self) -> None:
        """End all processes. Tenants in progress are asked to stop, and killed if they do not."""
        for worker in self._workers:
            worker.stop(self._clock.monotonic())
            worker.end()
        for worker in self._workers:
            worker.process.join(GRACE)
            worker.process.kill()
        self._workers.clear()

    def _start_worker(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve_tenants, args=(self._settings, theirs), daemon=True)
        process.start()
        theirs.close()
        self._workers.append(worker := _Worker(process=process, connection=ours))
        return worker

    def _receive(self) -> Iterator[TenantResult]:
        by_connection = {worker.connection: worker for worker in self._workers if worker.task}
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
        worker.task = None
        if worker.stopped_at is not None or worker.is_outdated or ended.memory > RECYCLE_ABOVE:
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
            if not worker.has_begun or (timeout := worker.timeout) is None:
                continue
            if now - worker.started > timeout and worker.stopped_at is None:
                worker.is_late = True
                worker.stop(now)
            if worker.is_late and worker.stopped_at is not None and now - worker.stopped_at > min(GRACE, timeout):
                worker.process.kill()

    def _remove(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.end()
        worker.process.join(GRACE)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
