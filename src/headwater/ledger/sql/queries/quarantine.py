"""Quarantined records, and the drift of fields from their contracts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Delete, RowMapping, Select, and_, bindparam, delete, func, insert, select, update

from headwater.batch import Batch, Feed
from headwater.clock import from_micros, to_micros
from headwater.errors import StateError
from headwater.ledger.records import Drift, RefusedRow
from headwater.ledger.sql.queries.batches import batch_condition, feed_condition, read_ordinal
from headwater.ledger.sql.schema import batch as batches
from headwater.ledger.sql.schema import drift as drifts
from headwater.ledger.sql.schema import refused as refusals


def list_refused(
    connection: Connection, tenant: str, *, feed: Feed | None, states: Iterable[str], batch_id: str | None
) -> tuple[RefusedRow, ...]:
    """Quarantined records, in the order of their batches and lines."""
    condition = refusals.c.tenant == tenant
    if wanted := tuple(states):
        condition = and_(condition, refusals.c.state.in_(wanted))
    if feed is not None:
        condition = and_(condition, feed_condition(refusals, feed))
    if batch_id is not None:
        condition = and_(condition, refusals.c.batch_id == batch_id)
    order = (refusals.c.connection, refusals.c.resource, refusals.c.batch_id, refusals.c.line)
    query = select(refusals).where(condition).order_by(*order)
    return tuple(_to_row(row) for row in connection.execute(query).mappings())


def replace_refused(connection: Connection, batch: Batch, refused: Sequence[RefusedRow], *, now: int) -> None:
    """Replace the refused records of `batch` with `refused`. A record that a user discarded stays discarded."""
    values = {"tenant": batch.feed.tenant, "batch_id": batch.id}
    before = {row["id"]: _to_row(row) for row in connection.execute(_select_refused_of_batch(), values).mappings()}
    if before:
        connection.execute(delete(refusals).where(batch_condition(refusals, batch)))
    rows = [_to_values(batch.feed, row, before.get(row.id), now=now) for row in refused]
    if rows:
        connection.execute(insert(refusals), rows)


@cache  # each landing asks, and nearly always in vain
def _select_refused_of_batch() -> Select[Any]:
    own = (refusals.c[name] == bindparam(name) for name in ("tenant", "batch_id"))
    return select(refusals).where(*own)


def update_quarantine(connection: Connection, tenant: str, refused: Sequence[RefusedRow]) -> None:
    """Write state, tries, reasons and times, then update the row counts of the batches."""
    for row in refused:
        values: dict[str, object] = {"state": row.state, "tries": row.tries, "reasons": _to_json(row.reasons)}
        values |= {"last_tried": to_micros(row.last_tried)} if row.last_tried else {}
        own = and_(refusals.c.tenant == tenant, refusals.c.id == row.id)
        if row.feed.tenant != tenant or not connection.execute(update(refusals).where(own).values(values)).rowcount:
            raise StateError(
                "no such refused record.", where=tenant, details=row.id, hint="`headwater quarantine list` lists them"
            )
    for batch_id in sorted({row.batch_id for row in refused}):
        _update_counts(connection, tenant, batch_id)


def save_drift(connection: Connection, batch: Batch, drift: Sequence[Drift]) -> None:
    """Save the drift that `batch` shows, unless a newer batch shows the same."""
    ordinal = read_ordinal(connection, batch)
    place = {"tenant": batch.feed.tenant, "connection": batch.feed.connection, "resource": batch.feed.resource}
    stored = {(field, kind): at for field, kind, at in connection.execute(_select_drift_ordinals(), place)}
    shown = _merge_by_field(drift)
    replaced = [key for key, at in stored.items() if at == ordinal or (key in shown and at < ordinal)]
    if replaced:
        connection.execute(_delete_drift(), [{**place, "name": field, "what": kind} for field, kind in replaced])
    rows = [
        {**place, "field": field, "kind": kind, "ordinal": ordinal, "detail": item.detail, "rows": item.rows}
        for (field, kind), item in shown.items()
        if stored.get((field, kind), ordinal) <= ordinal
    ]
    if rows:
        connection.execute(insert(drifts), rows)


@cache  # each landing asks, and nearly always in vain
def _select_drift_ordinals() -> Select[Any]:
    own = (drifts.c[name] == bindparam(name) for name in ("tenant", "connection", "resource"))
    return select(drifts.c.field, drifts.c.kind, drifts.c.ordinal).where(*own)


@cache
def _delete_drift() -> Delete:
    own = (drifts.c[name] == bindparam(name) for name in ("tenant", "connection", "resource"))
    return delete(drifts).where(*own, drifts.c.field == bindparam("name"), drifts.c.kind == bindparam("what"))


def list_drift(connection: Connection, tenant: str, feed: Feed | None) -> tuple[tuple[Feed, Drift], ...]:
    """Drift from the contracts: the newest of each feed, field and kind."""
    condition = (
        drifts.c.tenant == tenant if feed is None else and_(drifts.c.tenant == tenant, feed_condition(drifts, feed))
    )
    order = (drifts.c.connection, drifts.c.resource, drifts.c.field, drifts.c.kind)
    return tuple(
        (_to_feed(row), Drift(field=row["field"], kind=row["kind"], detail=row["detail"], rows=row["rows"]))
        for row in connection.execute(select(drifts).where(condition).order_by(*order)).mappings()
    )


def _update_counts(connection: Connection, tenant: str, batch_id: str) -> None:
    waiting_or_discarded = and_(
        refusals.c.tenant == tenant, refusals.c.batch_id == batch_id, refusals.c.state != "readmitted"
    )
    count = connection.execute(select(func.count()).select_from(refusals).where(waiting_or_discarded)).scalar_one()
    own = and_(batches.c.tenant == tenant, batches.c.id == batch_id)
    connection.execute(update(batches).where(own).values(quarantined=count, kept=batches.c.rows - count))


def _merge_by_field(drift: Sequence[Drift]) -> Mapping[tuple[str, str], Drift]:
    merged: dict[tuple[str, str], Drift] = {}
    for item in drift:
        before = merged.get((item.field, item.kind))
        rows = item.rows + (before.rows if before else 0)
        detail = before.detail if before else item.detail
        merged[item.field, item.kind] = Drift(field=item.field, kind=item.kind, detail=detail, rows=rows)
    return merged


def _to_values(feed: Feed, row: RefusedRow, before: RefusedRow | None, *, now: int) -> dict[str, object]:
    is_same = before is not None and before.reasons == tuple(row.reasons) and before.state != "readmitted"
    first = (before.first_seen if before else None) or row.first_seen
    last = (before.last_tried if before and is_same else None) or row.last_tried
    return {
        "tenant": feed.tenant,
        "id": row.id,
        "batch_id": row.batch_id,
        "connection": feed.connection,
        "resource": feed.resource,
        "line": row.line,
        "key": row.key,
        "reasons": _to_json(row.reasons),
        "state": before.state if before and before.state == "discarded" else row.state,
        "tries": max(row.tries, before.tries) if before else row.tries,
        "first_seen": to_micros(first) if first else now,
        "last_tried": to_micros(last) if last else now,
    }


def _to_json(reasons: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    return [dict(reason) for reason in reasons]


def _to_feed(row: RowMapping) -> Feed:
    return Feed(tenant=row["tenant"], connection=row["connection"], resource=row["resource"])


def _to_row(row: RowMapping) -> RefusedRow:
    return RefusedRow(
        id=row["id"],
        batch_id=row["batch_id"],
        feed=_to_feed(row),
        line=row["line"],
        key=row["key"],
        reasons=tuple(row["reasons"]),
        state=row["state"],
        tries=row["tries"],
        first_seen=from_micros(row["first_seen"]),
        last_tried=from_micros(row["last_tried"]),
    )
