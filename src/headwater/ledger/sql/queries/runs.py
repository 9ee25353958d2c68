"""Runs, and what they found in the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from headwater.clock import from_micros
from headwater.errors import StateError
from headwater.ledger.records import FindingRow, Outcome, RunRow
from headwater.ledger.sql.schema import finding as findings
from headwater.ledger.sql.schema import run as runs


def start_run(connection: Connection, tenant: str, run: str, *, now: int) -> None:
    """Record that a run began; those of the tenant that never ended have died."""
    if connection.execute(select(runs.c.id).where(runs.c.tenant == tenant, runs.c.id == run)).first():
        return
    unended = (runs.c.tenant == tenant, runs.c.outcome == "running")
    connection.execute(update(runs).where(*unended).values(outcome="died"))
    connection.execute(insert(runs).values(tenant=tenant, id=run, started_at=now, outcome="running", counts={}))


def end_run(
    connection: Connection, tenant: str, run: str, *, outcome: Outcome, counts: Mapping[str, int], now: int
) -> None:
    """Record how a run ended; the first word counts."""
    own = (runs.c.tenant == tenant, runs.c.id == run)
    if connection.execute(select(runs.c.id).where(*own)).first() is None:
        raise StateError("the ledger does not know this run.", where=tenant, saw=run, hint="start a run before its end")
    values = {"ended_at": now, "outcome": outcome, "counts": dict(counts)}
    connection.execute(update(runs).where(*own, runs.c.ended_at.is_(None)).values(values))


def list_runs(connection: Connection, tenant: str, *, limit: int) -> tuple[RunRow, ...]:
    """The newest runs, the newest first."""
    query = select(runs).where(runs.c.tenant == tenant).order_by(runs.c.ordinal.desc()).limit(limit)
    return tuple(_to_run(row) for row in connection.execute(query).mappings())


def list_tenants_with_runs(connection: Connection) -> tuple[str, ...]:
    """Tenants of which a run is remembered, sorted."""
    return tuple(connection.execute(select(runs.c.tenant).distinct().order_by(runs.c.tenant)).scalars())


def save_findings(connection: Connection, tenant: str, table: str, found: Sequence[FindingRow]) -> None:
    """Put `found` in the place of what earlier builds of `table` had found there."""
    connection.execute(delete(findings).where(findings.c.tenant == tenant, findings.c.table_name == table))
    rows = [
        {
            "tenant": tenant,
            "table_name": table,
            "finding": one.finding,
            "detail": one.detail,
            "count": one.count,
            "run": one.run,
        }
        for one in {(one.finding, one.detail): one for one in found}.values()
    ]
    if rows:
        connection.execute(insert(findings), rows)


def list_findings(connection: Connection, tenant: str) -> tuple[FindingRow, ...]:
    """What the newest build of each table found."""
    order = (findings.c.table_name, findings.c.finding, findings.c.detail)
    query = select(findings).where(findings.c.tenant == tenant).order_by(*order)
    return tuple(
        FindingRow(
            table=row["table_name"],
            finding=row["finding"],
            count=row["count"],
            detail=row["detail"],
            run=row["run"],
        )
        for row in connection.execute(query).mappings()
    )


def _to_run(row: RowMapping) -> RunRow:
    return RunRow(
        tenant=row["tenant"],
        id=row["id"],
        started_at=from_micros(row["started_at"]),
        ended_at=None if row["ended_at"] is None else from_micros(row["ended_at"]),
        outcome=row["outcome"],
        counts=row["counts"],
    )
