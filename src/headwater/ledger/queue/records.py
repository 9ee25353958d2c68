"""The rows of a queue, as values: jobs, results, workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

FORMAT = 1
"""The version of what a job contains. Workers with another one never get the job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The part of a queue that belongs to one environment of one project."""

    project: str
    environment: str

    @property
    def key(self) -> str:
        """Its name in the tables of the queue."""
        return f"{self.project}/{self.environment}" if self.environment else self.project


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to put."""

    tenant: str
    content: Mapping[str, Any]
    """What it asks for: a JSON object."""
    fingerprint: str
    """Two jobs of one tenant with the same one ask for the same."""
    rank: int
    """Jobs with a higher rank come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutResult:
    """What became of the jobs that a command put."""

    queued: tuple[str, ...]
    waiting: tuple[str, ...]
    """Tenants of which the same job waits already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenJob:
    """A job that a worker holds."""

    id: int
    tenant: str
    content: Mapping[str, Any]
    attempts: int
    """How often it was put back before."""
    now: datetime
    """The time of the server when it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """How the job of a tenant ended."""

    tenant: str
    outcome: str
    seconds: float = 0.0
    owner: str = ""
    """The process of the worker."""
    error: Mapping[str, str] | None = None
    """The parts of its first error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a worker says about itself."""

    scope: Scope
    queue: str
    owner: str
    """Its process, as in a lease, so that a dead process on the same machine is noticed at once."""
    jobs: int
    dead_after: float
    """Seconds without a heartbeat after which the others may call it dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """What became of a job whose worker died."""

    tenant: str
    deaths: int
    is_given_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingJob:
    """A job that no worker has taken yet."""

    tenant: str
    queued_at: datetime
    not_before: datetime | None
    """It was put back, and waits at least until then."""
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningJob:
    """A job in progress."""

    tenant: str
    worker: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTenant:
    """A tenant whose last job did not succeed."""

    tenant: str
    outcome: str
    ended_at: datetime
    error: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """A worker, and its newest heartbeat."""

    worker: str
    jobs: int
    since: datetime
    heartbeat: datetime
    is_alive: bool
    is_current: bool
    """Whether it has the same version of the project as the command that asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """The state of a queue."""

    queue: str
    now: datetime
    paused_at: datetime | None
    waiting: int
    oldest_waiting: datetime | None
    first: tuple[WaitingJob, ...]
    """The next jobs, in their order."""
    running: tuple[RunningJob, ...]
    failed: tuple[FailedTenant, ...]
    """Of the last week, newest first."""
    workers: tuple[WorkerState, ...]
    other_queues: Mapping[str, int]
    """Jobs that wait for another version of this project, or for another project, by queue."""
