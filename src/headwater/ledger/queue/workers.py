"""The workers of a queue, as rows with a heartbeat: a worker registers, beats, and takes up what a dead one left."""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import timedelta

from procrastinate import sql
from psycopg.types.json import Jsonb

from headwater.errors import HeadwaterError
from headwater.ledger.lease_owner import is_dead_process
from headwater.ledger.queue.connection import QueueConnection, QueueTransaction
from headwater.ledger.queue.queue import queue_again
from headwater.ledger.queue.records import Registration, Scope, Takeover

MOST_DEATHS = 5
"""How many workers in succession may die with a tenant before its job counts as the cause."""

_FIRST_DELAY = 10.0
"""Seconds that a job waits after the second death; each further one doubles them."""

_KEPT = timedelta(days=30)
"""How long the result of a tenant is kept that had no job since."""


class WorkerRegister:
    """The rows of workers. Each method is one transaction."""

    def __init__(self, connection: QueueConnection) -> None:
        self._connection = connection

    def register(
        self, registration: Registration, *, former: int = 0, job_ids: Collection[int] = ()
    ) -> tuple[int, frozenset[int]]:
        """Register a worker. Returns its id, and those of `job_ids` that nobody has taken over from its `former` id."""
        with self._connection.transaction() as tx:
            row = tx.execute(sql.queries["register_worker"]).fetchone()
            worker = int(row["worker_id"]) if row else 0
            tx.execute(
                "INSERT INTO queue_worker (id, scope, queue, owner, jobs, dead_after) VALUES (%s, %s, %s, %s, %s, %s)",
                [
                    worker,
                    registration.scope.key,
                    registration.queue,
                    registration.owner,
                    registration.jobs,
                    registration.dead_after,
                ],
            )
            rows = tx.execute(
                "UPDATE procrastinate_jobs SET worker_id = %s"
                " WHERE id = ANY (%s) AND status = 'doing' AND (worker_id IS NULL OR worker_id = %s) RETURNING id",
                [worker, list(job_ids), former],
            ).fetchall()
            tx.execute(sql.queries["unregister_worker"], {"worker_id": former})
            return worker, frozenset(row["id"] for row in rows)

    def move(self, worker: int, queue: str) -> None:
        """Record that a worker serves another queue from now on."""
        with self._connection.transaction() as tx:
            tx.execute("UPDATE queue_worker SET queue = %s WHERE id = %s", [queue, worker])

    def unregister(self, worker: int) -> None:
        """Remove a worker that holds no job."""
        with self._connection.transaction() as tx:
            tx.execute(sql.queries["unregister_worker"], {"worker_id": worker})

    def beat(self, worker: int) -> bool:
        """Say that a worker is alive. False if another one has called it dead."""
        with self._connection.transaction() as tx:
            update = "UPDATE procrastinate_workers SET last_heartbeat = clock_timestamp() WHERE id = %s"
            return tx.execute(update, [worker]).rowcount > 0

    def take_up(self, scope: Scope) -> tuple[Takeover, ...]:
        """Let the jobs of dead workers wait again, and forget these workers. Does nothing while another worker does it."""
        with self._connection.transaction() as tx:
            lock = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s || current_schema(), 0)) AS got"
            row = tx.execute(lock, [f"headwater queue {scope.key} "]).fetchone()
            if not row or not row["got"]:
                return ()
            dead = _list_dead(tx, scope)
            rows = tx.execute(
                "SELECT id, args ->> 'tenant' AS tenant FROM procrastinate_jobs"
                " WHERE status = 'doing' AND args ->> 'project' = %s AND args ->> 'environment' = %s"
                " AND (worker_id IS NULL OR worker_id = ANY (%s)) ORDER BY id FOR UPDATE",
                [scope.project, scope.environment, dead],
            ).fetchall()
            taken = tuple(_take_up_job(tx, scope, row["id"], row["tenant"]) for row in rows)
            tx.execute("DELETE FROM procrastinate_workers WHERE id = ANY (%s)", [dead])
            expired = "DELETE FROM queue_tenant WHERE scope = %s AND ended_at < now() - %s"
            tx.execute(expired, [scope.key, _KEPT])
            return taken


def _list_dead(tx: QueueTransaction, scope: Scope) -> list[int]:
    rows = tx.execute(
        "SELECT id, owner, last_heartbeat < clock_timestamp() - make_interval(secs => dead_after) AS silent"
        " FROM queue_worker JOIN procrastinate_workers USING (id) WHERE scope = %s",
        [scope.key],
    )
    return [row["id"] for row in rows if row["silent"] or is_dead_process(row["owner"])]


def _take_up_job(tx: QueueTransaction, scope: Scope, job: int, tenant: str) -> Takeover:
    """Let a job wait again; or end it, if the workers before died with it as well."""
    row = tx.execute(
        "INSERT INTO queue_tenant (scope, tenant, deaths) VALUES (%s, %s, 1)"
        " ON CONFLICT (scope, tenant) DO UPDATE SET deaths = queue_tenant.deaths + 1 RETURNING deaths",
        [scope.key, tenant],
    ).fetchone()
    deaths = int(row["deaths"]) if row else 1
    if deaths < MOST_DEATHS:
        # Without chance, the tenants that ran beside the cause would run beside it again, and be blamed, too.
        delay = _FIRST_DELAY * 2 ** (deaths - 2) * random.uniform(0.5, 1.5) if deaths > 1 else 0.0
        queue_again(tx, job, delay=timedelta(seconds=delay))
        return Takeover(tenant=tenant, deaths=deaths, is_given_up=False)
    error = HeadwaterError(
        "the workers died with this tenant.",
        where=tenant,
        details=f"{deaths} workers in succession",
        hint=f"run it alone and watch the memory: `headwater run --tenant {tenant}`",
    )
    tx.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', true)", [job])
    tx.execute(
        "UPDATE queue_tenant SET deaths = 0, outcome = 'crashed', ended_at = now(), owner = '', error = %s"
        " WHERE scope = %s AND tenant = %s",
        [Jsonb(error.as_dict()), scope.key, tenant],
    )
    return Takeover(tenant=tenant, deaths=deaths, is_given_up=True)
