"""The life of one thing: its versions in order, what changed between them, and which record of which batch said so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from headwater.clock import FOREVER, from_micros, micros
from headwater.errors import DeclarationError, StateError
from headwater.model.entity import Entity
from headwater.names import literal, suggest
from headwater.run.asof import columns_of
from headwater.run.opened import Opened
from headwater.run.rawline import records_behind
from headwater.run.result import Change, History, Moment
from headwater.temporal.text import listed
from headwater.warehouse.base import Warehouse

Row = Mapping[str, Any]
"""A version by column."""


def history(opened: Opened, tenant: str, name: str, key: str, *, raw: bool = False) -> History:
    """One thing's life. `key` is an entity key (`psa:17`), or what follows the connection where one alone has it.

    With `raw`, each moment has the record behind it, as the service sent it.
    """
    entity = _entity(opened, name)
    with closing(opened.warehouse(tenant, read_only=True)) as warehouse:
        columns_of(warehouse, "silver", entity.entity)
        chosen = _key(opened, tenant, warehouse, entity, key)
        rows = _versions(warehouse, entity, chosen)
        events = _events(warehouse, entity, chosen)
        batches = _batches(warehouse, {event.batch_id for event in events} | {row["batch_id"] for row in rows})
    moments = tuple(_sourced(moment, batches) for moment in _moments(entity, rows, events))
    if raw:
        moments = records_behind(opened, tenant, entity, chosen, moments)
    return History(
        entity=entity.entity,
        entity_key=chosen,
        events=len(events),
        overwritten={column: rows[-1][column] for column in entity.overwritten} if rows else {},
        moments=moments,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """A line of the change log."""

    sequence: int
    operation: str
    batch_id: str


def _entity(opened: Opened, name: str) -> Entity:
    entities = opened.declarations.entities
    found = entities.get(name.removeprefix("silver."))
    if found is None:
        hint = suggest(name.removeprefix("dim_"), entities)
        raise DeclarationError(f"No entity is called `{name}`.", where="history", saw=name, hint=hint)
    return found


def _key(opened: Opened, tenant: str, warehouse: Warehouse, entity: Entity, key: str) -> str:
    """The entity key that is meant; StateError when nothing of that key was ever seen, or several things were."""
    candidates = dict.fromkeys([key, *(f"{connection}:{key}" for connection in sorted(opened.connections(tenant)))])
    log = warehouse.ref("silver", f"{entity.entity}_log")
    among = ", ".join(literal(candidate) for candidate in candidates)
    found = [row[0] for row in warehouse.rows(f"SELECT DISTINCT entity_key FROM {log} WHERE entity_key IN ({among})")]
    if len(found) == 1:
        return str(found[0])
    if found:
        hint = f"say which: {', '.join(sorted(found))}"
        raise StateError(
            f"Several connections have a {entity.entity} of this key.", where="history", saw=key, hint=hint
        )
    example = warehouse.rows(f"SELECT MIN(entity_key) FROM {log}")[0][0]
    hint = f"keys are written like `{example}`" if example else "nothing was read yet: `headwater run`"
    raise StateError(f"No {entity.entity} of this key was ever seen.", where="history", saw=key, hint=hint)


def _versions(warehouse: Warehouse, entity: Entity, key: str) -> list[Row]:
    names = (*entity.columns, "valid_from", "valid_to", "batch_id")
    found = warehouse.rows(
        f"SELECT {listed(names)} FROM {warehouse.ref('silver', entity.entity)} "
        f"WHERE entity_key = {literal(key)} ORDER BY valid_from"
    )
    rows = [dict(zip(names, row, strict=True)) for row in found]
    return [{**row, **{name: row[name].replace(tzinfo=UTC) for name in ("valid_from", "valid_to")}} for row in rows]


def _events(warehouse: Warehouse, entity: Entity, key: str) -> list[_Event]:
    found = warehouse.rows(
        f"SELECT sequence, operation, batch_id FROM {warehouse.ref('silver', f'{entity.entity}_log')} "
        f"WHERE entity_key = {literal(key)} ORDER BY sequence, operation, batch_id"
    )
    return [_Event(sequence=sequence, operation=operation, batch_id=batch) for sequence, operation, batch in found]


def _batches(warehouse: Warehouse, ids: set[str]) -> dict[str, tuple[str, str, datetime]]:
    """Connection, source and time of reading, by batch."""
    if not ids:
        return {}
    found = warehouse.rows(
        f"SELECT batch_id, connection, source, read_at FROM {warehouse.ref('meta', 'batch')} "
        f"WHERE batch_id IN ({', '.join(map(literal, sorted(ids)))})"
    )
    return {batch: (connection, source, read_at.replace(tzinfo=UTC)) for batch, connection, source, read_at in found}


def _moments(entity: Entity, rows: Sequence[Row], events: Sequence[_Event]) -> Iterator[Moment]:
    ends = {event.sequence: event for event in events if event.operation in {"D", "A"}}
    if not rows and events:
        # Only deletes were ever seen: there is no version, and still something to tell.
        yield _end(events[0], None)
    for number, row in enumerate(rows):
        before = rows[number - 1] if number else None
        yield _start(entity, row, before)
        then = rows[number + 1]["valid_from"] if number + 1 < len(rows) else None
        if row["valid_to"] not in {then, FOREVER}:
            yield _end(ends[micros(row["valid_to"])], then)


def _start(entity: Entity, row: Row, before: Row | None) -> Moment:
    changes = tuple(
        Change(column=name, old=before[name] if before else None, new=row[name])
        for name in entity.tracked
        if row[name] != (before[name] if before else None)
    )
    touching = before is not None and before["valid_to"] == row["valid_from"]
    return Moment(
        at=row["valid_from"],
        until=None if row["valid_to"] == FOREVER else row["valid_to"],
        kind="first" if before is None else "changed" if touching else "back",
        changes=changes,
        batch_id=row["batch_id"],
    )


def _end(event: _Event, until: datetime | None) -> Moment:
    return Moment(
        at=from_micros(event.sequence),
        until=until,
        kind="deleted" if event.operation == "D" else "absent",
        batch_id=event.batch_id,
    )


def _sourced(moment: Moment, batches: Mapping[str, tuple[str, str, datetime]]) -> Moment:
    if moment.batch_id not in batches:
        return moment
    connection, source, read_at = batches[moment.batch_id]
    return replace(moment, connection=connection, source=source, read_at=read_at)
