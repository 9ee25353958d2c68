"""What a command asks of a queue, and what it gets back: plain values, which need no library of the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReport:
    """What a command put into the queue."""

    queued: tuple[str, ...]
    """The tenants with a new job, the most overdue first."""
    waiting: tuple[str, ...]
    """The tenants of which the same job waits already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How a worker works."""

    jobs: int = 1
    """The number of processes."""
    grace: timedelta = timedelta(seconds=20)
    """After a request to stop: how long the tenants in progress may go on before they stop at a page."""
    dead_after: timedelta = timedelta(seconds=60)
    """After so long without a heartbeat, the other workers call this one dead, and take up its jobs."""
    until_empty: bool = False
    """Whether to end when no job is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEvent:
    """Something that a worker reports."""

    name: str
    tenant: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """What a worker did."""

    seconds: float
    outcomes: Mapping[str, int]
    """The number of jobs by how they ended for this worker."""
