"""Record counts of services compared with the warehouse: the newest of each feed and entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, and_, delete, insert, select

from headwater.batch import Feed
from headwater.clock import from_micros, to_micros
from headwater.ledger.records import CountRow
from headwater.ledger.sql.queries.batches import feed_condition
from headwater.ledger.sql.schema import record_count


def save_counts(connection: Connection, tenant: str, counts: Sequence[CountRow]) -> None:
    """Save counts. They replace the previous counts of the same feed and entity."""
    before = {(row.feed, row.entity): row for row in list_counts(connection, tenant)}
    for count in counts:
        previous = before.get((count.feed, count.entity))
        own = and_(feed_condition(record_count, count.feed), record_count.c.entity == count.entity)
        connection.execute(delete(record_count).where(own))
        connection.execute(insert(record_count).values(_to_values(_with_differs_since(count, previous))))


def list_counts(connection: Connection, tenant: str) -> tuple[CountRow, ...]:
    """The newest count of each feed and entity, in that order."""
    table = record_count
    order = (table.c.connection, table.c.resource, table.c.entity)
    rows = connection.execute(select(table).where(table.c.tenant == tenant).order_by(*order)).mappings()
    return tuple(
        CountRow(
            feed=Feed(tenant=tenant, connection=row["connection"], resource=row["resource"]),
            entity=row["entity"],
            counted_at=from_micros(row["counted_at"]),
            numbers=row["numbers"],
            differs_since=None if row["differs_since"] is None else from_micros(row["differs_since"]),
        )
        for row in rows
    )


def _with_differs_since(count: CountRow, before: CountRow | None) -> CountRow:
    """`count` with `differs_since` set to the first of the consecutive counts that differ."""
    if not count.numbers.get("unexplained"):
        return replace(count, differs_since=None)
    since = before.differs_since if before else None
    return replace(count, differs_since=since or count.differs_since or count.counted_at)


def _to_values(count: CountRow) -> dict[str, object]:
    return {
        "tenant": count.feed.tenant,
        "connection": count.feed.connection,
        "resource": count.feed.resource,
        "entity": count.entity,
        "counted_at": to_micros(count.counted_at),
        "differs_since": None if count.differs_since is None else to_micros(count.differs_since),
        "numbers": dict(count.numbers),
    }
