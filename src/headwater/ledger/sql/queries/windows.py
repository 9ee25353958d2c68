"""Committed windows: half-open spans, merged where they touch, so that a year of hourly runs is one row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from headwater.batch import Batch, Feed, Window
from headwater.clock import from_micros, to_micros
from headwater.ledger.sql.queries.batches import of_batch, of_feed
from headwater.ledger.sql.schema import batch_parent, committed


def of_parent(connection: Connection, feed: Feed, *, parent: str) -> tuple[Window, ...]:
    """Committed windows of a feed, for one parent, sorted."""
    query = select(committed.c.since, committed.c.until).where(of_feed(committed, feed), committed.c.parent == parent)
    return tuple(_window(since, until) for since, until in connection.execute(query.order_by(committed.c.since)))


def by_parent(connection: Connection, feed: Feed) -> dict[str, tuple[Window, ...]]:
    """Committed windows of a feed by parent, sorted."""
    query = select(committed.c.parent, committed.c.since, committed.c.until)
    found: dict[str, list[Window]] = defaultdict(list)
    condition = and_(of_feed(committed, feed), committed.c.parent != "")
    for parent, since, until in connection.execute(
        query.where(condition).order_by(committed.c.parent, committed.c.since)
    ):
        found[parent].append(_window(since, until))
    return {parent: tuple(spans) for parent, spans in found.items()}


def commit(connection: Connection, batch: Batch) -> None:
    """Add the window of `batch`, for each of its parents, and merge it with those it touches."""
    query = select(batch_parent.c.parent).where(of_batch(batch_parent, batch))
    parents = connection.execute(query).scalars().all()
    since, until = to_micros(batch.window.since), to_micros(batch.window.until)
    touching = and_(
        of_feed(committed, batch.feed),
        committed.c.since <= until,
        committed.c.until >= since,
        _of_parents(batch, parents),
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


def _of_parents(batch: Batch, parents: Sequence[str]) -> ColumnElement[bool]:
    if not parents:
        return committed.c.parent == ""
    return committed.c.parent.in_(select(batch_parent.c.parent).where(of_batch(batch_parent, batch)))


def _window(since: int, until: int) -> Window:
    return Window(since=from_micros(since), until=from_micros(until))
