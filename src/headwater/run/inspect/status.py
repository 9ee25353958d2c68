"""Looking without touching: how far everything is, and what the tables hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from headwater.batch import Feed, Window
from headwater.errors import WarehouseError
from headwater.ledger.base import BatchRow, RunRow
from headwater.ledger.lease_owner import describe_owner
from headwater.run.pipeline.record_counts import shown_counts
from headwater.run.pipeline.step_run import progress_of
from headwater.run.results import Answer, FeedStatus, Status, TableStatus
from headwater.run.workspace import TenantWorkspace
from headwater.warehouse.base import SchemaName, Warehouse
from headwater.warehouse.dialect.render import check_read_only, count_rows


def status(workspace: TenantWorkspace) -> Status:
    """Where a tenant stands. Tables are left out while a run holds a warehouse that knows one process only."""
    ledger = workspace.ledger
    rows = ledger.batches(workspace.tenant)
    feeds = sorted({row.batch.feed for row in rows})
    runs, leases = ledger.runs(workspace.tenant, limit=1), ledger.leases(workspace.tenant)
    return Status(
        tenant=workspace.tenant,
        warehouse=workspace.whole.warehouse_settings.describe(workspace.tenant),
        feeds=tuple(_feed(workspace, feed, [row for row in rows if row.batch.feed == feed]) for feed in feeds),
        tables=() if leases else _tables(workspace),
        last_run=_run(runs[0], progress_of(ledger, workspace.tenant, runs[0].id)) if runs else None,
        counts=shown_counts(ledger.counts(workspace.tenant)),
        running=describe_owner(leases[0].holder) if leases else "",
    )


def query(workspace: TenantWorkspace, sql: str) -> Answer:
    """The answer to one statement that only reads; WarehouseError for anything else."""
    with closing(workspace.warehouse(read_only=True)) as warehouse:
        return answered(warehouse, check_read_only(sql, warehouse.capabilities.dialect.name))


def answered(warehouse: Warehouse, statement: str) -> Answer:
    """The answer to a statement in the engine's own dialect."""
    columns, rows = warehouse.answer(statement)
    return Answer(columns=columns, rows=tuple(tuple(map(_utc, row)) for row in rows))


def _utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _feed(workspace: TenantWorkspace, feed: Feed, rows: list[BatchRow]) -> FeedStatus:
    below = workspace.ledger.windows_by_parent(feed).values()
    windows = workspace.ledger.windows(feed) or max(below, key=len, default=())
    newest = rows[-1]
    drift = [f"{drift.kind} {drift.field}" for _, drift in workspace.ledger.drift(feed.tenant, feed)]
    done = [row.batch.window.until for row in rows if row.stage != "extracting"]
    return FeedStatus(
        connection=feed.connection,
        resource=feed.resource,
        until=_until(windows, below, done),
        windows=len(windows),
        rows=sum(row.rows for row in rows if row.batch.purpose != "sweep"),
        waiting=sum(row.state != "completed" for row in rows),
        failed=newest.reason if newest.state == "failed" else "",
        quarantined=len(workspace.ledger.list_refused(feed.tenant, feed=feed)),
        drift=tuple(drift),
    )


def _until(windows: Sequence[Window], below: Iterable[Sequence[Window]], done: Sequence[datetime]) -> datetime | None:
    """Everything that changed before is in raw: of the feed, or below each of its parents."""
    ends = [parent[-1].until for parent in below if parent]
    if ends:
        return min(ends)
    return windows[-1].until if windows else max(done, default=None)


def _tables(workspace: TenantWorkspace) -> tuple[TableStatus, ...]:
    try:
        warehouse = workspace.warehouse(read_only=True)
    except WarehouseError:
        # There is none before the first run; `status` says so by showing no tables.
        return ()
    try:
        return tuple(_counts(warehouse, "silver")) + tuple(_counts(warehouse, "gold"))
    finally:
        warehouse.close()


def _counts(warehouse: Warehouse, layer: SchemaName) -> Iterable[TableStatus]:
    for name in warehouse.tables(layer):
        yield TableStatus(layer=layer, table=name, rows=count_rows(warehouse, layer, name))


def _run(run: RunRow, progress: Mapping[str, int]) -> dict[str, Any]:
    return {
        "started": run.started_at,
        "ended": run.ended_at,
        "outcome": run.outcome or "running",
        **progress,
        **run.counts,
    }
