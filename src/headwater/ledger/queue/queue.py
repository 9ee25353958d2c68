"""The queue of one environment of a project, as transactions: put jobs, take one, end one, put one back.

Only the worker that holds a job may end it or put it back. Otherwise another worker has taken it over, because this one
was silent for too long.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from procrastinate import sql
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from headwater.errors import StateError
from headwater.ledger.queue.connection import QueueConnection, QueueTransaction
from headwater.ledger.queue.records import FORMAT, JobResult, NewJob, PutResult, Scope, TakenJob

_TASK = "run_tenant"
"""What Procrastinate calls the only kind of job."""

_ATTEMPTS = 5
"""How often jobs are put again if another command puts the same ones at the same moment."""


class TenantQueue:
    """The queue. Each method is one transaction; StateError if the database cannot be used."""

    def __init__(self, connection: QueueConnection, scope: Scope) -> None:
        self.connection = connection
        self.scope = scope

    def read_now(self) -> datetime:
        """The time of the server, on which all machines agree."""
        with self.connection.transaction() as tx:
            now: datetime = _read_one(tx, "SELECT clock_timestamp() AS value")
            return now

    def put(self, queue: str, jobs: Sequence[NewJob]) -> PutResult:
        """Put jobs. A job that waits already is not put again, but moves to this queue.

        So the jobs that an older checkout queued wait for the workers of this one.
        """
        for _ in range(_ATTEMPTS):
            try:
                with self.connection.transaction() as tx:
                    return self._put(tx, queue, jobs)
            except AlreadyEnqueued:
                continue
        raise StateError(
            "other commands put the same jobs all the time; nothing was put.",
            where=self.connection.where,
            hint="run the command again",
        )

    def _put(self, tx: QueueTransaction, queue: str, jobs: Sequence[NewJob]) -> PutResult:
        self._move_waiting(tx, queue)
        rows = tx.execute("SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo'").fetchall()
        present = {row["queueing_lock"] for row in rows}
        news = [built for built in (self._build(job, queue) for job in jobs) if built.queueing_lock not in present]
        if news:
            # All commands insert in one order, so that no two wait for each other.
            self.connection.jobs.batch_defer_jobs(sorted(news, key=_get_queueing_lock), connection=tx)
        queued = tuple(str(built.task_kwargs["tenant"]) for built in news)
        return PutResult(queued=queued, waiting=tuple(job.tenant for job in jobs if job.tenant not in queued))

    def _build(self, job: NewJob, queue: str) -> Job:
        lock = f"{self.scope.key}:{job.tenant}"
        scope = {"project": self.scope.project, "environment": self.scope.environment}
        return Job(
            id=None,
            queue=queue,
            priority=job.rank,
            lock=lock,
            queueing_lock=f"{lock}:{FORMAT}:{job.fingerprint}",
            task_name=_TASK,
            task_kwargs={"format": FORMAT, **scope, "tenant": job.tenant, "job": dict(job.content)},
        )

    def _move_waiting(self, tx: QueueTransaction, queue: str) -> None:
        tx.execute(
            """
            UPDATE procrastinate_jobs SET queue_name = %(queue)s
            WHERE status = 'todo' AND queue_name <> %(queue)s AND (args ->> 'format')::int = %(format)s
              AND args ->> 'project' = %(project)s AND args ->> 'environment' = %(environment)s
            """,
            {
                "queue": queue,
                "format": FORMAT,
                "project": self.scope.project,
                "environment": self.scope.environment,
            },
        )

    def take(self, queue: str, worker: int) -> TakenJob | None:
        """Take the job with the highest priority; None if none waits, or the queue is paused."""
        with self.connection.transaction() as tx:
            if tx.execute("SELECT 1 FROM queue_pause WHERE scope = %s", [self.scope.key]).fetchone():
                return None
            row = tx.execute(sql.queries["fetch_job"], {"queues": [queue], "worker_id": worker}).fetchone()
            if row is None or row["id"] is None:
                return None
            now = _read_one(tx, "SELECT clock_timestamp() AS value")
            args = row["args"]
            return TakenJob(
                id=row["id"],
                tenant=args.get("tenant", ""),
                content=args.get("job", {}),
                attempts=row["attempts"],
                now=now,
            )

    def end(self, job: TakenJob, worker: int, *, result: JobResult | None) -> bool:
        """Delete a job that has ended, and keep its result. False if this worker no longer holds the job."""
        with self.connection.transaction() as tx:
            if not _hold(tx, job.id, worker):
                return False
            tx.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', true)", [job.id])
            if result is not None:
                _save_result(tx, self.scope, result)
            return True

    def put_back(self, job: TakenJob, worker: int, *, delay: timedelta) -> bool:
        """Let a job wait again. False if this worker no longer holds it."""
        with self.connection.transaction() as tx:
            if not _hold(tx, job.id, worker):
                return False
            queue_again(tx, job.id, delay=delay)
            return True

    def put_back_unknown(self, worker: int, *, job_ids: Collection[int]) -> int:
        """Let jobs wait again that this worker took without knowing, because the connection broke. Returns their number."""
        with self.connection.transaction() as tx:
            rows = tx.execute(
                "SELECT id FROM procrastinate_jobs"
                " WHERE status = 'doing' AND worker_id = %s AND id <> ALL (%s) FOR UPDATE",
                [worker, list(job_ids)],
            ).fetchall()
            for row in rows:
                queue_again(tx, row["id"], delay=timedelta())
            return len(rows)

    def is_empty(self, queue: str) -> bool:
        """Whether no job waits in this queue, and none is in progress."""
        with self.connection.transaction() as tx:
            return not _read_one(
                tx,
                "SELECT EXISTS (SELECT FROM procrastinate_jobs"
                " WHERE queue_name = %s AND status IN ('todo', 'doing')) AS value",
                queue,
            )

    def count_foreign(self, queue: str) -> Mapping[str, int]:
        """How many jobs wait in other queues of this database, by queue."""
        with self.connection.transaction() as tx:
            rows = tx.execute(
                "SELECT queue_name, count(*) AS number FROM procrastinate_jobs"
                " WHERE status = 'todo' AND queue_name <> %s GROUP BY 1 ORDER BY 1",
                [queue],
            )
            return {row["queue_name"]: row["number"] for row in rows}

    def pause(self) -> bool:
        """Let workers take no more jobs. False if the queue was paused already."""
        with self.connection.transaction() as tx:
            insert = "INSERT INTO queue_pause (scope) VALUES (%s) ON CONFLICT DO NOTHING"
            return tx.execute(insert, [self.scope.key]).rowcount > 0

    def resume(self) -> bool:
        """Let workers take jobs again. False if the queue was not paused."""
        with self.connection.transaction() as tx:
            return tx.execute("DELETE FROM queue_pause WHERE scope = %s", [self.scope.key]).rowcount > 0


def queue_again(tx: QueueTransaction, job: int, *, delay: timedelta) -> None:
    """Let a job wait again. If the same job was queued meanwhile, that one is enough, and this one is deleted."""
    try:
        with tx.transaction():
            tx.execute(
                "SELECT procrastinate_retry_job_v2(%s, CASE WHEN %s THEN now() + %s END, NULL, NULL, NULL)",
                [job, bool(delay), delay],
            )
    except UniqueViolation:
        tx.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', true)", [job])


def _save_result(tx: QueueTransaction, scope: Scope, result: JobResult) -> None:
    """Keep how the last job of a tenant ended."""
    error = None if result.error is None else Jsonb(dict(result.error))
    tx.execute(
        """
        INSERT INTO queue_tenant (scope, tenant, deaths, outcome, ended_at, seconds, owner, error)
        VALUES (%(scope)s, %(tenant)s, 0, %(outcome)s, now(), %(seconds)s, %(owner)s, %(error)s)
        ON CONFLICT (scope, tenant) DO UPDATE SET deaths = 0, outcome = excluded.outcome, ended_at = excluded.ended_at,
            seconds = excluded.seconds, owner = excluded.owner, error = excluded.error
        """,
        {
            "scope": scope.key,
            "tenant": result.tenant,
            "outcome": result.outcome,
            "seconds": result.seconds,
            "owner": result.owner,
            "error": error,
        },
    )


def _get_queueing_lock(job: Job) -> str:
    return job.queueing_lock or ""


def _hold(tx: QueueTransaction, job: int, worker: int) -> bool:
    """Lock the row of a job. False if it is not in progress with this worker."""
    query = "SELECT 1 FROM procrastinate_jobs WHERE id = %s AND worker_id = %s AND status = 'doing' FOR UPDATE"
    return tx.execute(query, [job, worker]).fetchone() is not None


def _read_one(tx: QueueTransaction, query: str, *values: object) -> Any:
    row = tx.execute(query.encode(), values).fetchone()
    return row["value"] if row else None
