"""Runs, and their findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from headwater.clock import from_micros
from headwater.errors import StateError
from headwater.events import Finding
from headwater.ledger.records import RunOutcome, RunRow
from headwater.ledger.sql.schema import finding as findings
from headwater.ledger.sql.schema import run as runs

_RUNNING = "running"
"""The stored outcome of a run that has not ended."""


def start_run(connection: Connection, tenant: str, run: str, *, now: int) -> None:
    """Record that a run began; runs of the tenant that have not ended are marked as crashed."""
    if connection.execute(select(runs.c.id).where(runs.c.tenant == tenant, runs.c.id == run)).first():
        return
    is_running = (runs.c.tenant == tenant, runs.c.outcome == _RUNNING)
    connection.execute(update(runs).where(*is_running).values(outcome=RunOutcome.CRASHED.value))
    connection.execute(insert(runs).values(tenant=tenant, id=run, started_at=now, outcome=_RUNNING, counts={}))


def end_run(
    connection: Connection, tenant: str, run: str, *, outcome: RunOutcome, counts: Mapping[str, int], now: int
) -> None:
    """Record how a run ended. A second call for the same run changes nothing."""
    own = (runs.c.tenant == tenant, runs.c.id == run)
    if connection.execute(select(runs.c.id).where(*own)).first() is None:
        raise StateError("the ledger has no such run.", where=tenant, details=run, hint="start a run before you end it")
    values = {"ended_at": now, "outcome": outcome.value, "counts": dict(counts)}
    connection.execute(update(runs).where(*own, runs.c.ended_at.is_(None)).values(values))


def list_runs(connection: Connection, tenant: str, *, limit: int) -> tuple[RunRow, ...]:
    """The newest runs, newest first."""
    query = select(runs).where(runs.c.tenant == tenant).order_by(runs.c.ordinal.desc()).limit(limit)
    return tuple(_to_run(row) for row in connection.execute(query).mappings())


def list_last_successes(connection: Connection) -> dict[str, datetime]:
    """When the newest successful run of each tenant ended."""
    query = select(runs.c.tenant, func.max(runs.c.ended_at)).where(runs.c.outcome == RunOutcome.SUCCEEDED.value)
    return {tenant: from_micros(ended) for tenant, ended in connection.execute(query.group_by(runs.c.tenant)) if ended}


def list_tenants_with_runs(connection: Connection) -> tuple[str, ...]:
    """Tenants with at least one run, sorted."""
    return tuple(connection.execute(select(runs.c.tenant).distinct().order_by(runs.c.tenant)).scalars())


def save_findings(connection: Connection, tenant: str, table: str, items: Sequence[Finding]) -> None:
    """Save the findings of a build of `table`. They replace those of earlier builds."""
    connection.execute(delete(findings).where(findings.c.tenant == tenant, findings.c.table_name == table))
    rows = [
        {
            "tenant": tenant,
            "table_name": table,
            "finding": item.finding,
            "detail": item.detail,
            "count": item.count,
        }
        for item in {(item.finding, item.detail): item for item in items}.values()
    ]
    if rows:
        connection.execute(insert(findings), rows)


def list_findings(connection: Connection, tenant: str) -> tuple[Finding, ...]:
    """The findings of the newest build of each table."""
    order = (findings.c.table_name, findings.c.finding, findings.c.detail)
    query = select(findings).where(findings.c.tenant == tenant).order_by(*order)
    return tuple(
        Finding(
            table=row["table_name"],
            finding=row["finding"],
            count=row["count"],
            detail=row["detail"],
        )
        for row in connection.execute(query).mappings()
    )


def _to_run(row: RowMapping) -> RunRow:
    return RunRow(
        tenant=row["tenant"],
        id=row["id"],
        started_at=from_micros(row["started_at"]),
        ended_at=None if row["ended_at"] is None else from_micros(row["ended_at"]),
        outcome=None if row["outcome"] == _RUNNING else RunOutcome(row["outcome"]),
        counts=row["counts"],
    )
