"""The version history of one record: its versions in order, what changed between them, and the records they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from headwater.clock import FOREVER, from_micros, to_micros
from headwater.errors import DeclarationError, StateError
from headwater.model.entity import Entity
from headwater.names import did_you_mean
from headwater.run.inspect.as_of import columns_of
from headwater.run.inspect.raw_records import records_behind
from headwater.run.results import Change, History, Moment
from headwater.run.workspace import TenantWorkspace
from headwater.silver.query import (
    BatchOrigin,
    LogEntry,
    VersionRow,
    find_keys,
    load_batch_origins,
    load_log_entries,
    load_versions,
    read_first_key,
)
from headwater.silver.schema.diff import stored_entity
from headwater.warehouse.base import Warehouse


def history(workspace: TenantWorkspace, name: str, key: str, *, raw: bool = False) -> History:
    """One thing's life. `key` is an entity key (`desk:17`), or what follows the connection where one alone has it.

    With `raw`, each moment has the record behind it, as the service sent it.
    """
    entity = _entity(workspace, name)
    with closing(workspace.warehouse(read_only=True)) as warehouse:
        columns_of(warehouse, "silver", entity.entity)
        stored = stored_entity(warehouse, entity)
        chosen = _key(warehouse, entity, key, connections=sorted(workspace.connections()))
        versions = load_versions(warehouse, stored, chosen)
        seen = load_log_entries(warehouse, entity, chosen)
        tellings = load_batch_origins(
            warehouse, [*(one.batch_id for one in seen), *(row["batch_id"] for row in versions)]
        )
    moments = tuple(_told(moment, tellings) for moment in _moments(stored, versions, seen))
    return History(
        entity=entity.entity,
        entity_key=chosen,
        events=len(seen),
        overwritten={column: versions[-1][column] for column in stored.overwritten} if versions else {},
        moments=records_behind(workspace, entity, chosen, moments) if raw else moments,
    )


def _entity(workspace: TenantWorkspace, name: str) -> Entity:
    entities = workspace.declarations.entities
    found = entities.get(name.removeprefix("silver."))
    if found is None:
        hint = did_you_mean(name.removeprefix("dim_"), entities)
        raise DeclarationError(f"There is no entity `{name}`.", where="history", details=name, hint=hint)
    return found


def _key(warehouse: Warehouse, entity: Entity, key: str, *, connections: Sequence[str]) -> str:
    """The entity key that is meant; StateError when nothing of that key was ever seen, or several things were."""
    found = find_keys(warehouse, entity, {key, *(f"{connection}:{key}" for connection in connections)})
    if len(found) == 1:
        return found[0]
    if found:
        hint = f"pass one of: {', '.join(found)}"
        raise StateError(
            f"Several connections have a {entity.entity} with this key.", where="history", details=key, hint=hint
        )
    example = read_first_key(warehouse, entity)
    hint = f"keys are written like `{example}`" if example else "no data was read yet: run `headwater run`"
    raise StateError(f"There is no {entity.entity} with this key.", where="history", details=key, hint=hint)


def _moments(entity: Entity, versions: Sequence[VersionRow], seen: Sequence[LogEntry]) -> Iterator[Moment]:
    ends = {one.sequence: one for one in seen if one.operation in {"D", "A"}}
    if not versions and seen:
        # Only deletes were ever seen: there is no version, and still something to tell.
        yield _end(seen[0], None)
    for number, version in enumerate(versions):
        yield _start(entity, version, versions[number - 1] if number else None)
        then = versions[number + 1]["valid_from"] if number + 1 < len(versions) else None
        if version["valid_to"] not in {then, FOREVER}:
            yield _end(ends[to_micros(version["valid_to"])], then)


def _start(entity: Entity, version: VersionRow, before: VersionRow | None) -> Moment:
    changes = tuple(
        Change(column=name, old=before[name] if before else None, new=version[name])
        for name in entity.tracked
        if version[name] != (before[name] if before else None)
    )
    touching = before is not None and before["valid_to"] == version["valid_from"]
    return Moment(
        at=version["valid_from"],
        until=None if version["valid_to"] == FOREVER else version["valid_to"],
        kind="first" if before is None else "changed" if touching else "back",
        changes=changes,
        batch_id=version["batch_id"],
    )


def _end(seen: LogEntry, until: datetime | None) -> Moment:
    return Moment(
        at=from_micros(seen.sequence),
        until=until,
        kind="deleted" if seen.operation == "D" else "absent",
        batch_id=seen.batch_id,
    )


def _told(moment: Moment, tellings: Mapping[str, BatchOrigin]) -> Moment:
    telling = tellings.get(moment.batch_id)
    if telling is None:
        return moment
    return replace(moment, connection=telling.connection, source=telling.source, read_at=telling.read_at)
