"""The state of a queue: what waits, what runs and where, what failed lately, and which workers live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from headwater.ledger.lease_owner import describe_owner, is_dead_process
from headwater.run.queue.connection import QueueTransaction
from headwater.run.queue.job import Scope, read_checkout
from headwater.run.queue.open import open_queue
from headwater.run.workspace import Workspace

_LATELY = timedelta(days=7)
_MOST_ROWS = 20


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


def read_queue_status(workspace: Workspace, *, environment: str = "") -> QueueStatus:
    """The state of the queue of a project. StateError if it has none yet."""
    with open_queue(workspace, environment=environment, create=False) as queue:
        name, scope = read_checkout(workspace.root).name_queue(queue.scope), queue.scope
        foreign = queue.count_foreign(name)
        with queue.connection.transaction() as tx:
            head = _read_head(tx, name, scope)
            return QueueStatus(
                queue=name,
                now=head["now"],
                paused_at=head["paused_at"],
                waiting=head["waiting"],
                oldest_waiting=head["oldest"],
                first=_list_waiting(tx, name),
                running=_list_running(tx, scope),
                failed=_list_failed(tx, scope),
                workers=_list_workers(tx, name, scope),
                other_queues=foreign,
            )


def pause_queue(workspace: Workspace, *, environment: str = "") -> bool:
    """Let workers take no more jobs. False if the queue was paused already."""
    with open_queue(workspace, environment=environment, create=False) as queue:
        return queue.pause()


def resume_queue(workspace: Workspace, *, environment: str = "") -> bool:
    """Let workers take jobs again. False if the queue was not paused."""
    with open_queue(workspace, environment=environment, create=False) as queue:
        return queue.resume()


def _read_head(tx: QueueTransaction, queue: str, scope: Scope) -> Mapping[str, Any]:
    row = tx.execute(
        """
        SELECT clock_timestamp() AS now, (SELECT paused_at FROM queue_pause WHERE scope = %(scope)s) AS paused_at,
            count(DISTINCT job.id) AS waiting, min(event.at) AS oldest
        FROM procrastinate_jobs job LEFT JOIN procrastinate_events event ON job_id = job.id AND type = 'deferred'
        WHERE status = 'todo' AND queue_name = %(queue)s
        """,
        {"scope": scope.key, "queue": queue},
    ).fetchone()
    return row or {}


def _list_waiting(tx: QueueTransaction, queue: str) -> tuple[WaitingJob, ...]:
    rows = tx.execute(
        """
        SELECT args -> 'job' ->> 'tenant' AS tenant, attempts, CASE WHEN scheduled_at > now() THEN scheduled_at END AS later,
            (SELECT min(at) FROM procrastinate_events WHERE job_id = job.id AND type = 'deferred') AS queued_at
        FROM procrastinate_jobs job WHERE status = 'todo' AND queue_name = %s
        ORDER BY 3 NULLS FIRST, priority DESC, id LIMIT %s
        """,
        [queue, _MOST_ROWS],
    )
    return tuple(
        WaitingJob(tenant=row["tenant"], queued_at=row["queued_at"], not_before=row["later"], attempts=row["attempts"])
        for row in rows
    )


def _list_running(tx: QueueTransaction, scope: Scope) -> tuple[RunningJob, ...]:
    rows = tx.execute(
        """
        SELECT args -> 'job' ->> 'tenant' AS tenant, owner,
            (SELECT max(at) FROM procrastinate_events WHERE job_id = job.id AND type = 'started') AS since
        FROM procrastinate_jobs job LEFT JOIN queue_worker worker ON worker.id = job.worker_id
        WHERE status = 'doing' AND args ->> 'project' = %s AND args ->> 'environment' = %s ORDER BY 3, 1
        """,
        [scope.project, scope.environment],
    )
    return tuple(
        RunningJob(tenant=row["tenant"], worker=describe_owner(row["owner"] or "nobody"), since=row["since"])
        for row in rows
    )


def _list_failed(tx: QueueTransaction, scope: Scope) -> tuple[FailedTenant, ...]:
    rows = tx.execute(
        "SELECT tenant, outcome, ended_at, error FROM queue_tenant WHERE scope = %s"
        " AND outcome IN ('failed', 'partial', 'crashed', 'timed_out') AND ended_at > now() - %s"
        " ORDER BY ended_at DESC, tenant LIMIT %s",
        [scope.key, _LATELY, _MOST_ROWS],
    )
    return tuple(FailedTenant(**row) for row in rows)


def _list_workers(tx: QueueTransaction, queue: str, scope: Scope) -> tuple[WorkerState, ...]:
    rows = tx.execute(
        "SELECT queue, owner, jobs, began_at, last_heartbeat,"
        " last_heartbeat < clock_timestamp() - make_interval(secs => dead_after) AS silent"
        " FROM queue_worker JOIN procrastinate_workers USING (id) WHERE scope = %s ORDER BY began_at, id",
        [scope.key],
    )
    return tuple(
        WorkerState(
            worker=describe_owner(row["owner"]),
            jobs=row["jobs"],
            since=row["began_at"],
            heartbeat=row["last_heartbeat"],
            is_alive=not row["silent"] and not is_dead_process(row["owner"]),
            is_current=row["queue"] == queue,
        )
        for row in rows
    )
