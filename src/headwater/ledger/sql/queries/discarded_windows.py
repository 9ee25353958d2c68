"""Windows that were committed under a wrong clock: they count no more."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from headwater.batch import Batch, Feed, Window
from headwater.clock import from_micros, to_micros
from headwater.ledger.records import BatchRow
from headwater.ledger.sql.queries.batches import batch_condition, feed_condition, select_batches
from headwater.ledger.sql.schema import batch as batches
from headwater.ledger.sql.schema import batch_parent, committed
from headwater.windows import find_missing_windows


def discard_windows(
    connection: Connection, feed: Feed, *, later_than: datetime, ahead: timedelta | None
) -> tuple[BatchRow, ...]:
    """Believe no window that ends after `later_than`, or by more than `ahead` after its batch began. Those batches."""
    late = batches.c.until > to_micros(later_than)
    if ahead is not None:
        late = or_(late, batches.c.until > batches.c.started_at + ahead // timedelta(microseconds=1))
    rows = select_batches(connection, and_(feed_condition(batches, feed), batches.c.disowned.is_(False), late))
    for row in rows:
        own = and_(batches.c.tenant == feed.tenant, batches.c.id == row.batch.id)
        if row.stage == "extracting":
            connection.execute(delete(batches).where(own))
            continue
        if row.batch.purpose == "changes":
            _uncommit_window(connection, row.batch)
        connection.execute(update(batches).where(own).values(disowned=True))
    return rows


def _uncommit_window(connection: Connection, batch: Batch) -> None:
    """Cut the window of `batch` out of the committed spans, for each of its parents."""
    since, until = to_micros(batch.window.since), to_micros(batch.window.until)
    parents = (
        connection.execute(select(batch_parent.c.parent).where(batch_condition(batch_parent, batch))).scalars().all()
    )
    for parent in parents or ("",):
        touching = and_(
            feed_condition(committed, batch.feed),
            committed.c.parent == parent,
            committed.c.since < until,
            committed.c.until > since,
        )
        spans = connection.execute(select(committed.c.since, committed.c.until).where(touching)).all()
        connection.execute(delete(committed).where(touching))
        own = {"tenant": batch.feed.tenant, "connection": batch.feed.connection, "resource": batch.feed.resource}
        left = [
            {**own, "parent": parent, "since": to_micros(window.since), "until": to_micros(window.until)}
            for first, last in spans
            for window in find_missing_windows(
                Window(since=from_micros(first), until=from_micros(last)), [batch.window]
            )
        ]
        if left:
            connection.execute(insert(committed), left)
