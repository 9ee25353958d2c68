"""A worker process of a fleet: opens the project once, and runs the tenants that it is sent, one after another."""

from __future__ import annotations

import os
import resource
import signal
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

from headwater.plan.state import RunRequest
from headwater.run.fleet.report import TenantResult
from headwater.run.fleet.tenant_run import run_tenant
from headwater.run.workspace import open_project


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker needs to know before its first tenant."""

    root: Path
    environment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantTask:
    """A tenant that a worker is to run."""

    tenant: str
    request: RunRequest = field(default_factory=RunRequest)
    timeout: timedelta | None = None
    """The longest time that it may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantStarted:
    """A worker begins with a tenant."""

    tenant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantEnded:
    """A worker has finished a tenant."""

    result: TenantResult
    memory: int
    """The memory of the process afterwards, in bytes."""


class StopRequest:
    """Whether the fleet asked this worker to stop, or was killed itself."""

    def __init__(self) -> None:
        self._is_set = False
        self._fleet = parent_process()

    def __call__(self) -> bool:
        return self._is_set or (self._fleet is not None and not self._fleet.is_alive())

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Record the request. The tenant in progress stops at its next page."""
        del number, frame
        self._is_set = True


def serve_tenants(settings: WorkerSettings, connection: Connection) -> None:
    """Run the tasks that arrive on `connection` until it sends None, is closed, or the fleet asks to stop or dies."""
    stop = StopRequest()
    # A terminal sends Ctrl-C to the whole group of processes, but only the fleet decides when its workers stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop.on_signal)
    with open_project(settings.root, environment=settings.environment) as workspace:
        while not stop() and (task := _read_task(connection)) is not None:
            connection.send(TenantStarted(tenant=task.tenant))
            result = run_tenant(workspace, task.tenant, task.request, stop=stop)
            if not _send(connection, TenantEnded(result=result, memory=measure_memory())):
                return


def measure_memory() -> int:
    """The memory of this process, in bytes: the current one, or the highest one where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _read_task(connection: Connection) -> TenantTask | None:
    try:
        task: TenantTask | None = connection.recv()
    except (EOFError, OSError):
        # The process of the fleet was killed.
        return None
    return task


def _send(connection: Connection, message: TenantEnded) -> bool:
    """Send a message. False if the process of the fleet was killed, so that nobody reads it."""
    try:
        connection.send(message)
    except OSError:
        return False
    return True
