"""Looking without touching: how far everything is, and what the tables hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from headwater.batch import Feed, Window
from headwater.errors import WarehouseError
from headwater.ledger.base import BatchRow, RunRow
from headwater.ledger.lease_owner import describe_owner
from headwater.run.pipeline.record_counts import shown_counts
from headwater.run.results import Answer, FeedStatus, Status, TableStatus
from headwater.run.workspace import Opened
from headwater.warehouse.base import Layer, Warehouse
from headwater.warehouse.dialect.render import count_rows, one_that_reads


def status(opened: Opened, tenant: str) -> Status:
    """Where a tenant stands. Tables are left out while a run holds a warehouse that knows one process only."""
    ledger = opened.ledger
    rows = ledger.batches(tenant)
    feeds = sorted({row.batch.feed for row in rows})
    runs, leases = ledger.runs(tenant, limit=1), ledger.leases(tenant)
    return Status(
        tenant=tenant,
        warehouse=opened.project.warehouse.place(tenant),
        feeds=tuple(_feed(opened, feed, [row for row in rows if row.batch.feed == feed]) for feed in feeds),
        tables=() if leases else _tables(opened, tenant),
        last_run=_run(runs[0]) if runs else None,
        counts=shown_counts(ledger.counts(tenant)),
        running=describe_owner(leases[0].holder) if leases else "",
    )


def query(opened: Opened, tenant: str, sql: str) -> Answer:
    """The answer to one statement that only reads; WarehouseError for anything else."""
    with closing(opened.warehouse(tenant, read_only=True)) as warehouse:
        return answered(warehouse, one_that_reads(sql, warehouse.capabilities.dialect))


def answered(warehouse: Warehouse, statement: str) -> Answer:
    """The answer to a statement in the engine's own dialect."""
    table = warehouse.arrow(statement)
    columns = tuple(table.column_names)
    values = [[_utc(value) for value in column.to_pylist()] for column in table.columns]
    return Answer(columns=columns, rows=tuple(zip(*values, strict=True)))


def _utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _feed(opened: Opened, feed: Feed, rows: list[BatchRow]) -> FeedStatus:
    below = opened.ledger.windows_by_parent(feed).values()
    windows = opened.ledger.windows(feed) or max(below, key=len, default=())
    newest = rows[-1]
    drift = [f"{drift.kind} {drift.field}" for _, drift in opened.ledger.drift(feed.tenant, feed)]
    done = [row.batch.window.until for row in rows if row.stage != "extracting"]
    return FeedStatus(
        connection=feed.connection,
        resource=feed.resource,
        until=_until(windows, below, done),
        windows=len(windows),
        rows=sum(row.rows for row in rows if row.batch.purpose != "sweep"),
        waiting=sum(row.state != "completed" for row in rows),
        failed=newest.reason if newest.state == "failed" else "",
        quarantined=len(opened.ledger.list_refused(feed.tenant, feed=feed)),
        drift=tuple(drift),
    )


def _until(windows: Sequence[Window], below: Iterable[Sequence[Window]], done: Sequence[datetime]) -> datetime | None:
    """Everything that changed before is in raw: of the feed, or below each of its parents."""
    ends = [parent[-1].until for parent in below if parent]
    if ends:
        return min(ends)
    return windows[-1].until if windows else max(done, default=None)


def _tables(opened: Opened, tenant: str) -> tuple[TableStatus, ...]:
    try:
        warehouse = opened.warehouse(tenant, read_only=True)
    except WarehouseError:
        # There is none before the first run; `status` says so by showing no tables.
        return ()
    try:
        return tuple(_counts(warehouse, "silver")) + tuple(_counts(warehouse, "gold"))
    finally:
        warehouse.close()


def _counts(warehouse: Warehouse, layer: Layer) -> Iterable[TableStatus]:
    for name in warehouse.tables(layer):
        yield TableStatus(layer=layer, table=name, rows=count_rows(warehouse, layer, name))


def _run(run: RunRow) -> dict[str, Any]:
    return {"started": run.started_at, "ended": run.ended_at, "outcome": run.outcome, **run.counts}
