"""Committed windows: half-open spans, merged where they touch. A year of hourly runs is one row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from headwater.batch import Batch, Feed, Window
from headwater.clock import from_micros, to_micros
from headwater.ledger.sql.queries.batches import batch_condition, feed_condition
from headwater.ledger.sql.schema import batch_parent, committed


def list_windows(connection: Connection, feed: Feed, *, parent: str) -> tuple[Window, ...]:
    """Committed windows of a feed, for one parent, sorted."""
    query = select(committed.c.since, committed.c.until).where(
        feed_condition(committed, feed), committed.c.parent == parent
    )
    return tuple(_to_window(since, until) for since, until in connection.execute(query.order_by(committed.c.since)))


def list_windows_by_parent(connection: Connection, feed: Feed) -> dict[str, tuple[Window, ...]]:
    """Committed windows of a feed by parent, sorted."""
    query = select(committed.c.parent, committed.c.since, committed.c.until)
    by_parent: dict[str, list[Window]] = defaultdict(list)
    condition = and_(feed_condition(committed, feed), committed.c.parent != "")
    for parent, since, until in connection.execute(
        query.where(condition).order_by(committed.c.parent, committed.c.since)
    ):
        by_parent[parent].append(_to_window(since, until))
    return {parent: tuple(spans) for parent, spans in by_parent.items()}


def commit_window(connection: Connection, batch: Batch) -> None:
    """Add the window of `batch`, for each of its parents, and merge it with adjacent and overlapping windows."""
    query = select(batch_parent.c.parent).where(batch_condition(batch_parent, batch))
    parents = connection.execute(query).scalars().all()
    since, until = to_micros(batch.window.since), to_micros(batch.window.until)
    touching = and_(
        feed_condition(committed, batch.feed),
        committed.c.since <= until,
        committed.c.until >= since,
        _parents_condition(batch, parents),
    )
    spans = dict.fromkeys(parents or ("",), (since, until))
    for parent, first, last in connection.execute(
        select(committed.c.parent, committed.c.since, committed.c.until).where(touching)
    ):
        spans[parent] = (min(spans[parent][0], first), max(spans[parent][1], last))
    connection.execute(delete(committed).where(touching))
    own = {"tenant": batch.feed.tenant, "connection": batch.feed.connection, "resource": batch.feed.resource}
    rows = [{**own, "parent": parent, "since": span[0], "until": span[1]} for parent, span in spans.items()]
    connection.execute(insert(committed), rows)


def _parents_condition(batch: Batch, parents: Sequence[str]) -> ColumnElement[bool]:
    if not parents:
        return committed.c.parent == ""
    return committed.c.parent.in_(select(batch_parent.c.parent).where(batch_condition(batch_parent, batch)))


def _to_window(since: int, until: int) -> Window:
    return Window(since=from_micros(since), until=from_micros(until))
