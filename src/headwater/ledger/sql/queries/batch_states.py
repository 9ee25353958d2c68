"""State changes of a batch: begun, pages recorded, extracted, landed, completed, failed or reopened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from headwater.batch import Batch, Feed
from headwater.clock import to_micros
from headwater.errors import StateError
from headwater.ledger.records import BatchRow, Drift, PageRow, RefusedRow, State
from headwater.ledger.sql.queries import quarantine, windows
from headwater.ledger.sql.queries.batches import (
    batch_condition,
    build_batch_values,
    feed_condition,
    find_batch,
    get_batch,
    list_pages,
)
from headwater.ledger.sql.schema import batch as batches
from headwater.ledger.sql.schema import batch_parent, page


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStart:
    """When a read began, and the fingerprint of the declaration of its requests."""

    read_at: datetime | None
    fingerprint: str

    @property
    def values(self) -> dict[str, object]:
        """The columns of the batch that store it."""
        return {"read_at": None if self.read_at is None else to_micros(self.read_at), "fingerprint": self.fingerprint}


def begin_batch(
    connection: Connection, batch: Batch, *, parents: Sequence[str], start: ReadStart, now: int
) -> BatchRow:
    """Insert a batch as `extracting`, or return the existing row; a failed batch goes back to its `resume` state."""
    row = find_batch(connection, batch.feed.tenant, batch.id)
    if row is None:
        connection.execute(insert(batches).values({**build_batch_values(batch, now=now), **start.values}))
        keys = list(dict.fromkeys(parents))
        if keys:
            own = {"tenant": batch.feed.tenant, "batch_id": batch.id}
            connection.execute(
                insert(batch_parent), [{**own, "position": at, "parent": key} for at, key in enumerate(keys)]
            )
    elif row.state == "failed":
        _set(connection, batch, now=now, state=row.resume, reason="", tries=row.tries + 1)
    if row is not None and row.stage == "extracting" and row.pages == 0 and start.read_at is not None:
        _set_read_start(connection, batch, row, start, now=now)
    row = find_batch(connection, batch.feed.tenant, batch.id)
    return row or get_batch(connection, batch)


def restart_batch(connection: Connection, batch: Batch, *, start: ReadStart, now: int) -> BatchRow:
    """Delete the pages of an `extracting` batch, and begin its read again with `start`."""
    discard_pages(connection, batch, after=0, now=now)
    row = get_batch(connection, batch)
    _require(row, "extracting", verb="a read restarts")
    _set_read_start(connection, batch, row, start, now=now)
    return find_batch(connection, batch.feed.tenant, batch.id) or get_batch(connection, batch)


def abandon_batch(connection: Connection, batch: Batch) -> None:
    """Delete an `extracting` batch with its pages."""
    row = find_batch(connection, batch.feed.tenant, batch.id)
    if row is None:
        return
    if row.stage != "extracting":
        _require(row, "extracting", verb="a batch is abandoned")
    connection.execute(delete(batches).where(batches.c.tenant == batch.feed.tenant, batches.c.id == batch.id))


def record_page(connection: Connection, batch: Batch, committed: PageRow, *, now: int) -> None:
    """Commit a page and its position in the window."""
    row = get_batch(connection, batch)
    if committed in list_pages(connection, batch, number=committed.number):
        return
    _require(row, "extracting", verb="a page is recorded")
    if committed.number != row.pages + 1:
        raise StateError(
            "pages must be recorded in order.",
            where=f"{batch.feed} {batch.id}",
            details=f"page {committed.number} after {row.pages} pages",
            hint="check whether another run reads the same batch",
        )
    own = {"tenant": batch.feed.tenant, "batch_id": batch.id}
    values = {name: getattr(committed, name) for name in ("number", "path", "rows", "size", "next")}
    connection.execute(insert(page).values({**own, **values}))
    _set(connection, batch, now=now, rows=row.rows + committed.rows, pages=committed.number)


def discard_pages(connection: Connection, batch: Batch, *, after: int, now: int) -> None:
    """Delete the pages with numbers above `after`."""
    row = get_batch(connection, batch)
    if row.pages <= after:
        return
    _require(row, "extracting", verb="pages are forgotten")
    connection.execute(delete(page).where(batch_condition(page, batch), page.c.number > after))
    left = select(func.coalesce(func.sum(page.c.rows), 0), func.count()).where(batch_condition(page, batch))
    rows, count = connection.execute(left).one()
    _set(connection, batch, now=now, rows=int(rows), pages=int(count))


def commit_window(
    connection: Connection, batch: Batch, *, proved: bool | None, credible_until: datetime | None, now: int
) -> None:
    """Mark a batch `extracted`, save whether its read is proved to be complete, and commit its window."""
    row = get_batch(connection, batch)
    if row.stage != "extracting":
        return
    _require(row, "extracting", verb="a window is committed")
    if batch.purpose == "changes":
        windows.commit_window(connection, batch)
    until = None if credible_until is None else to_micros(credible_until)
    _set(connection, batch, now=now, state="extracted", resume="extracted", proved=proved, credible_until=until)


def record_landing(
    connection: Connection, batch: Batch, *, kept: int, refused: Sequence[RefusedRow], drift: Sequence[Drift], now: int
) -> None:
    """Mark a batch `transformed`, with its refused records and its drift."""
    row = get_batch(connection, batch)
    if row.stage == "completed":
        return
    if row.stage == "extracting":
        _require(row, "extracted", verb="a batch is landed")
    if kept + len(refused) != row.rows:
        raise StateError(
            "the rows read do not equal rows kept + rows quarantined.",
            where=f"{batch.feed} {batch.id}",
            details=f"{row.rows} read, {kept} kept, {len(refused)} quarantined",
            hint="keep the raw file of this batch and report a bug; the batch did not reach silver",
        )
    quarantine.replace_refused(connection, batch, refused, now=now)
    quarantine.save_drift(connection, batch, drift)
    if (row.state, row.kept, row.quarantined) != ("transformed", kept, len(refused)):
        values = {"kept": kept, "quarantined": len(refused), "reason": ""}
        _set(connection, batch, now=now, state="transformed", resume="transformed", **values)


def complete_batches(connection: Connection, completed: Iterable[Batch], *, now: int) -> None:
    """Mark batches `completed`."""
    for batch in completed:
        row = get_batch(connection, batch)
        if row.state == "completed":
            continue
        if row.stage != "transformed":
            _require(row, "transformed", verb="a batch is completed")
        _set(connection, batch, now=now, state="completed", resume="completed", reason="")


def reopen_batches(connection: Connection, tenant: str, feed: Feed | None, *, now: int) -> int:
    """Set landed and completed batches back to `extracted`. Returns their number."""
    condition = and_(
        batches.c.tenant == tenant,
        or_(
            batches.c.state.in_(("transformed", "completed")),
            and_(batches.c.state == "failed", batches.c.resume == "transformed"),
        ),
    )
    if feed is not None:
        condition = and_(condition, feed_condition(batches, feed))
    values = {"state": "extracted", "resume": "extracted", "reason": "", "updated_at": now}
    return connection.execute(update(batches).where(condition).values(values)).rowcount


def fail_batch(connection: Connection, batch: Batch, reason: str, *, now: int) -> None:
    """Mark a batch `failed`. `resume` keeps the state that it continues from."""
    row = get_batch(connection, batch)
    if (row.state, row.reason) == ("failed", reason):
        return
    if row.state == "completed":
        raise StateError("a completed batch cannot fail.", where=f"{batch.feed} {batch.id}", details=reason)
    _set(connection, batch, now=now, state="failed", resume=row.stage, reason=reason)


def _set_read_start(connection: Connection, batch: Batch, row: BatchRow, start: ReadStart, *, now: int) -> None:
    if (row.read_at, row.fingerprint) != (start.read_at, start.fingerprint):
        _set(connection, batch, now=now, **start.values)


def _set(connection: Connection, batch: Batch, *, now: int, **values: object) -> None:
    own = and_(batches.c.tenant == batch.feed.tenant, batches.c.id == batch.id)
    connection.execute(update(batches).where(own).values({**values, "updated_at": now}))


def _require(row: BatchRow, state: State, *, verb: str) -> None:
    if row.state != state:
        raise StateError(
            f"{verb} only while the batch is `{state}`.",
            where=f"{row.batch.feed} {row.batch.id}",
            details=f"it is `{row.state}`",
            hint="check whether another run works on the same tenant: `headwater status`",
        )
