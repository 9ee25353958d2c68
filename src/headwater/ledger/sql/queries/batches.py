"""Queries for batches and pages: by id, by feed, by state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, bindparam, case, func, or_, select

from headwater.batch import Batch, Feed, Window
from headwater.clock import from_micros, to_micros
from headwater.errors import StateError
from headwater.ledger.records import BatchRow, PageRow, State
from headwater.ledger.sql.schema import batch as batches
from headwater.ledger.sql.schema import batch_parent, page

_READ = ("extracted", "transformed", "completed")


def feed_condition(table: Any, feed: Feed) -> ColumnElement[bool]:
    """The rows of `table` that belong to `feed`."""
    return and_(table.c.tenant == feed.tenant, table.c.connection == feed.connection, table.c.resource == feed.resource)


def batch_condition(table: Any, batch: Batch) -> ColumnElement[bool]:
    """The rows of `table` that belong to `batch`."""
    return and_(table.c.tenant == batch.feed.tenant, table.c.batch_id == batch.id)


def find_batch(connection: Connection, tenant: str, batch_id: str) -> BatchRow | None:
    """The row of a batch, or None."""
    values = {"tenant": tenant, "id": batch_id}
    row = connection.execute(_select_batch(), values).mappings().one_or_none()
    return (
        None if row is None else _to_row(row, tuple(connection.execute(_select_parents_of_batch(), values).scalars()))
    )


@cache  # each step of a read asks for its batch
def _select_batch() -> Select[Any]:
    return select(batches).where(batches.c.tenant == bindparam("tenant"), batches.c.id == bindparam("id"))


@cache
def _select_parents_of_batch() -> Select[Any]:
    own = (batch_parent.c.tenant == bindparam("tenant"), batch_parent.c.batch_id == bindparam("id"))
    return select(batch_parent.c.parent).where(*own).order_by(batch_parent.c.position)


def get_batch(connection: Connection, batch: Batch) -> BatchRow:
    """The row of a batch, without its parents; StateError if there is none."""
    values = {"tenant": batch.feed.tenant, "id": batch.id}
    row = connection.execute(_select_batch(), values).mappings().one_or_none()
    if row is None:
        raise StateError(
            "the ledger has no such batch.",
            where=str(batch.feed),
            details=batch.id,
            hint="start a batch before you record its pages",
        )
    return _to_row(row, ())


def read_ordinal(connection: Connection, batch: Batch) -> int:
    """The position of a batch in the order in which batches began."""
    return int(connection.execute(_select_ordinal(), {"tenant": batch.feed.tenant, "id": batch.id}).scalar_one())


@cache
def _select_ordinal() -> Select[Any]:
    return select(batches.c.ordinal).where(batches.c.tenant == bindparam("tenant"), batches.c.id == bindparam("id"))


def list_batches(
    connection: Connection, tenant: str, *, states: Iterable[State], feed: Feed | None, limit: int | None
) -> tuple[BatchRow, ...]:
    """Batches in the order in which they began; with `limit`, only the newest."""
    condition = (
        batches.c.tenant == tenant if feed is None else and_(batches.c.tenant == tenant, feed_condition(batches, feed))
    )
    if wanted := tuple(states):
        condition = and_(condition, batches.c.state.in_(wanted))
    return _select_rows(connection, condition, limit=limit)


def find_latest(connection: Connection, feed: Feed, *, purpose: str, until: datetime | None) -> Batch | None:
    """The newest completely read batch of a purpose; with `until`, of those whose window does not end later."""
    values: dict[str, Any] = {
        "tenant": feed.tenant,
        "connection": feed.connection,
        "resource": feed.resource,
        "purpose": purpose,
    }
    if until is not None:
        values["until"] = to_micros(until)
    query = _select_latest(bounded=until is not None)
    row = connection.execute(query, values).mappings().one_or_none()
    return None if row is None else _to_batch(row)


@cache  # a run asks for each feed and purpose, and to build the statement takes as long as to execute it
def _select_latest(*, bounded: bool) -> Select[Any]:
    names = ("tenant", "connection", "resource", "purpose")
    own = (batches.c[name] == bindparam(name) for name in names)
    read = or_(batches.c.state.in_(_READ), and_(batches.c.state == "failed", batches.c.resume.in_(_READ)))
    query = select(batches).where(*own, read).order_by(batches.c.until.desc(), batches.c.ordinal.desc()).limit(1)
    return query.where(batches.c.until <= bindparam("until")) if bounded else query


def find_newest_read(connection: Connection, tenant: str, name: str) -> datetime | None:
    """When the newest read of a connection began; None before the first. Discarded windows have no credible time."""
    own = and_(batches.c.tenant == tenant, batches.c.connection == name)
    kept = batches.c.disowned.is_(False)
    newest = connection.execute(select(func.max(batches.c.read_at)).where(own, kept)).scalar_one()
    # An older ledger has no `read_at`. Then the start of the batch or the end of its window counts, whichever is earlier.
    # This holds for a discarded window that ended after its start, too: history dates its records by the start.
    ended_after = batches.c.until > batches.c.started_at
    began = case((ended_after, batches.c.started_at), else_=batches.c.until)
    older = (own, batches.c.read_at.is_(None), or_(kept, ended_after))
    estimated = connection.execute(select(func.max(began)).where(*older)).scalar_one()
    instants = [instant for instant in (newest, estimated) if instant is not None]
    return from_micros(max(instants)) if instants else None


def count_attempts(connection: Connection, feed: Feed) -> dict[tuple[str, Window], int]:
    """How often a batch of each (purpose, window) of a feed was begun."""
    values = {"tenant": feed.tenant, "connection": feed.connection, "resource": feed.resource}
    return {
        (purpose, Window(since=from_micros(since), until=from_micros(until))): int(reading)
        for purpose, since, until, reading in connection.execute(_select_attempts(), values)
    }


@cache
def _select_attempts() -> Select[Any]:
    what = (batches.c.purpose, batches.c.since, batches.c.until)
    own = (batches.c[name] == bindparam(name) for name in ("tenant", "connection", "resource"))
    return select(*what, func.max(batches.c.reading)).where(*own).group_by(*what)


def list_pages(connection: Connection, batch: Batch, *, number: int | None = None) -> tuple[PageRow, ...]:
    """Committed pages of a batch, in order; with `number`, only that page."""
    values: dict[str, object] = {"tenant": batch.feed.tenant, "batch_id": batch.id}
    if number is not None:
        values["number"] = number
    query = _select_pages(one=number is not None)
    return tuple(PageRow(**row) for row in connection.execute(query, values).mappings())


@cache  # each page is looked for before it is recorded
def _select_pages(*, one: bool) -> Select[Any]:
    columns = (page.c.number, page.c.path, page.c.rows, page.c.size, page.c.next)
    own = (page.c[name] == bindparam(name) for name in ("tenant", "batch_id"))
    query = select(*columns).where(*own).order_by(page.c.number)
    return query.where(page.c.number == bindparam("number")) if one else query


def select_batches(connection: Connection, condition: ColumnElement[bool]) -> tuple[BatchRow, ...]:
    """The batches that meet a condition, in the order in which they began."""
    return _select_rows(connection, condition, limit=None)


def _select_rows(connection: Connection, condition: ColumnElement[bool], *, limit: int | None) -> tuple[BatchRow, ...]:
    query = select(batches).where(condition).order_by(batches.c.ordinal.desc()).limit(limit)
    rows = connection.execute(query).mappings().all()
    parents = _select_parents(connection, condition) if rows else {}
    return tuple(_to_row(row, parents.get(row["id"], ())) for row in reversed(rows))


def _select_parents(connection: Connection, condition: ColumnElement[bool]) -> Mapping[str, tuple[str, ...]]:
    joined = batch_parent.join(
        batches, and_(batches.c.tenant == batch_parent.c.tenant, batches.c.id == batch_parent.c.batch_id)
    )
    query = select(batch_parent.c.batch_id, batch_parent.c.parent).select_from(joined).where(condition)
    parents: dict[str, list[str]] = defaultdict(list)
    for batch_id, parent in connection.execute(query.order_by(batch_parent.c.batch_id, batch_parent.c.position)):
        parents[batch_id].append(parent)
    return {batch_id: tuple(keys) for batch_id, keys in parents.items()}


def _to_batch(row: RowMapping) -> Batch:
    return Batch(
        id=row["id"],
        feed=Feed(tenant=row["tenant"], connection=row["connection"], resource=row["resource"]),
        window=Window(since=from_micros(row["since"]), until=from_micros(row["until"])),
        purpose=row["purpose"],
        attempt=row["reading"],
    )


def _to_row(row: RowMapping, parents: tuple[str, ...]) -> BatchRow:
    return BatchRow(
        batch=_to_batch(row),
        state=row["state"],
        resume=row["resume"],
        reason=row["reason"],
        rows=row["rows"],
        kept=row["kept"],
        quarantined=row["quarantined"],
        pages=row["pages"],
        parents=parents,
        started_at=from_micros(row["started_at"]),
        updated_at=from_micros(row["updated_at"]),
        tries=row["tries"],
        read_at=None if row["read_at"] is None else from_micros(row["read_at"]),
        credible_until=None if row["credible_until"] is None else from_micros(row["credible_until"]),
        fingerprint=row["fingerprint"],
        proved=row["proved"],
        disowned=row["disowned"],
    )


def build_batch_values(batch: Batch, *, now: int) -> dict[str, object]:
    """The values of the columns for a new batch."""
    return {
        "tenant": batch.feed.tenant,
        "id": batch.id,
        "connection": batch.feed.connection,
        "resource": batch.feed.resource,
        "since": to_micros(batch.window.since),
        "until": to_micros(batch.window.until),
        "purpose": batch.purpose,
        "reading": batch.attempt,
        "state": "extracting",
        "resume": "extracting",
        "reason": "",
        "started_at": now,
        "updated_at": now,
        "tries": 1,
        **dict.fromkeys(("rows", "kept", "quarantined", "pages"), 0),
    }
