"""Windows that were committed under a wrong clock, and no longer count."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from headwater.batch import Batch, Feed, Window
from headwater.clock import from_micros, to_micros
from headwater.ledger.records import BatchRow
from headwater.ledger.sql.queries.batches import batch_condition, feed_condition, select_batches
from headwater.ledger.sql.schema import batch as batches
from headwater.ledger.sql.schema import batch_parent, committed
from headwater.windows import find_missing_windows


def has_late_windows(connection: Connection, feed: Feed, *, later_than: datetime, ahead: timedelta | None) -> bool:
    """Whether `discard_windows` would discard a window."""
    late = _late_condition(feed, later_than=later_than, ahead=ahead)
    return connection.execute(select(batches.c.id).where(late).limit(1)).first() is not None


def discard_windows(
    connection: Connection, feed: Feed, *, later_than: datetime, ahead: timedelta | None
) -> tuple[BatchRow, ...]:
    """Discard windows that end after `later_than`, or more than `ahead` after their batch began; their batches."""
    rows = select_batches(connection, _late_condition(feed, later_than=later_than, ahead=ahead))
    for row in rows:
        is_batch = and_(batches.c.tenant == feed.tenant, batches.c.id == row.batch.id)
        if row.stage == "extracting":
            connection.execute(delete(batches).where(is_batch))
            continue
        if row.batch.purpose == "changes":
            _remove_committed(connection, row.batch)
        connection.execute(update(batches).where(is_batch).values(disowned=True))
    return rows


def _late_condition(feed: Feed, *, later_than: datetime, ahead: timedelta | None) -> ColumnElement[bool]:
    late = batches.c.until > to_micros(later_than)
    if ahead is not None:
        late = or_(late, batches.c.until > batches.c.started_at + ahead // timedelta(microseconds=1))
    return and_(feed_condition(batches, feed), batches.c.disowned.is_(False), late)


def _remove_committed(connection: Connection, batch: Batch) -> None:
    """Remove the window of `batch` from the committed spans of each of its parents."""
    since, until = to_micros(batch.window.since), to_micros(batch.window.until)
    parents = (
        connection.execute(select(batch_parent.c.parent).where(batch_condition(batch_parent, batch))).scalars().all()
    )
    for parent in parents or ("",):
        overlaps = and_(
            feed_condition(committed, batch.feed),
            committed.c.parent == parent,
            committed.c.since < until,
            committed.c.until > since,
        )
        spans = connection.execute(select(committed.c.since, committed.c.until).where(overlaps)).all()
        connection.execute(delete(committed).where(overlaps))
        columns = {"tenant": batch.feed.tenant, "connection": batch.feed.connection, "resource": batch.feed.resource}
        rest = [
            {**columns, "parent": parent, "since": to_micros(window.since), "until": to_micros(window.until)}
            for first, last in spans
            for window in find_missing_windows(
                Window(since=from_micros(first), until=from_micros(last)), [batch.window]
            )
        ]
        if rest:
            connection.execute(insert(committed), rest)
