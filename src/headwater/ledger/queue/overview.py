"""Reads the state of a queue: what waits, what runs and where, what failed lately, and which workers live."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from headwater.ledger.lease_owner import describe_owner, is_dead_process
from headwater.ledger.queue.connection import QueueTransaction
from headwater.ledger.queue.queue import TenantQueue
from headwater.ledger.queue.records import FailedTenant, QueueStatus, RunningJob, Scope, WaitingJob, WorkerState

_LATELY = timedelta(days=7)
_MOST_ROWS = 20


def read_overview(queue: TenantQueue, name: str) -> QueueStatus:
    """The state of a queue, for the workers of the queue `name`."""
    other_queues, scope = queue.count_foreign(name), queue.scope
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
            other_queues=other_queues,
        )


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
        SELECT args ->> 'tenant' AS tenant, attempts, CASE WHEN scheduled_at > now() THEN scheduled_at END AS later,
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
        SELECT args ->> 'tenant' AS tenant, owner,
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
