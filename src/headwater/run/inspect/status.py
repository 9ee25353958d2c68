"""`status`: the state of a tenant in the ledger and the warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from headwater.batch import Feed, Window
from headwater.errors import WarehouseError
from headwater.ledger.base import BatchRow, RunRow
from headwater.ledger.lease_owner import describe_owner
from headwater.run.pipeline.record_counts import to_record_counts
from headwater.run.pipeline.step_run import load_progress
from headwater.run.results import FeedStatus, Status, TableStatus
from headwater.run.workspace import TenantWorkspace
from headwater.warehouse.base import SchemaName, Warehouse
from headwater.warehouse.dialect.text import count_rows


def read_status(workspace: TenantWorkspace) -> Status:
    """The state of a tenant. While a run holds the lease, tables are left out, because some engines allow only one process."""
    ledger = workspace.ledger
    rows = ledger.list_batches(workspace.tenant)
    feeds = sorted({row.batch.feed for row in rows})
    runs, leases = ledger.list_runs(workspace.tenant, limit=1), ledger.list_leases(workspace.tenant)
    return Status(
        tenant=workspace.tenant,
        warehouse=workspace.parent.warehouse_settings.describe(workspace.tenant),
        feeds=tuple(
            _build_feed_status(workspace, feed, [row for row in rows if row.batch.feed == feed]) for feed in feeds
        ),
        tables=() if leases else _list_tables(workspace),
        last_run=_describe_run(runs[0], load_progress(ledger, workspace.tenant, runs[0].id)) if runs else None,
        counts=to_record_counts(ledger.list_counts(workspace.tenant)),
        running=describe_owner(leases[0].holder) if leases else "",
    )


def _build_feed_status(workspace: TenantWorkspace, feed: Feed, rows: list[BatchRow]) -> FeedStatus:
    by_parent = workspace.ledger.list_windows_by_parent(feed).values()
    windows = workspace.ledger.list_windows(feed) or max(by_parent, key=len, default=())
    newest = rows[-1]
    drift = [f"{drift.kind} {drift.field}" for _, drift in workspace.ledger.list_drift(feed.tenant, feed)]
    ends_of_reads = [row.batch.window.until for row in rows if row.stage != "extracting"]
    return FeedStatus(
        connection=feed.connection,
        resource=feed.resource,
        until=_find_end(windows, by_parent, ends_of_reads),
        windows=len(windows),
        rows=sum(row.rows for row in rows if row.batch.purpose != "sweep"),
        waiting=sum(row.state != "completed" for row in rows),
        failed=newest.reason if newest.state == "failed" else "",
        quarantined=len(workspace.ledger.list_refused(feed.tenant, feed=feed)),
        drift=tuple(drift),
    )


def _find_end(
    windows: Sequence[Window], by_parent: Iterable[Sequence[Window]], ends_of_reads: Sequence[datetime]
) -> datetime | None:
    """The end of the span that is completely in raw: of the feed, or the earliest of its parents."""
    ends = [parent[-1].until for parent in by_parent if parent]
    if ends:
        return min(ends)
    return windows[-1].until if windows else max(ends_of_reads, default=None)


def _list_tables(workspace: TenantWorkspace) -> tuple[TableStatus, ...]:
    try:
        warehouse = workspace.open_warehouse(read_only=True)
    except WarehouseError:
        # There is no warehouse before the first run. Then `status` shows no tables.
        return ()
    try:
        return tuple(_count_tables(warehouse, "silver")) + tuple(_count_tables(warehouse, "gold"))
    finally:
        warehouse.close()


def _count_tables(warehouse: Warehouse, layer: SchemaName) -> Iterable[TableStatus]:
    for name in warehouse.tables(layer):
        yield TableStatus(layer=layer, table=name, rows=count_rows(warehouse, layer, name))


def _describe_run(run: RunRow, progress: Mapping[str, int]) -> dict[str, Any]:
    return {
        "started": run.started_at,
        "ended": run.ended_at,
        "outcome": run.outcome or "running",
        **progress,
        **run.counts,
    }
