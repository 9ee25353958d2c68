"""`history`: the versions of one record in order, the changes between them, and their raw records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from headwater.clock import FOREVER, from_micros, to_micros
from headwater.errors import DeclarationError, StateError
from headwater.model.entity import Entity
from headwater.names import did_you_mean
from headwater.run.inspect.as_of import list_columns
from headwater.run.inspect.raw_records import add_raw_records
from headwater.run.results import Change, History, VersionChange
from headwater.run.workspace import TenantWorkspace
from headwater.silver.entity_tables import EntityTables
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
from headwater.silver.schema.diff import load_stored_entity


def read_history(workspace: TenantWorkspace, name: str, key: str, *, raw: bool = False) -> History:
    """The version history of one record. `key` is an entity key (`desk:17`), or only `17` if it is unique.

    With `raw`, each version has its source records, as the service sent them. StateError if there is no such record.
    """
    entity = _find_entity(workspace, name)
    with closing(workspace.open_warehouse(read_only=True)) as warehouse:
        list_columns(warehouse, "silver", entity.entity)
        stored = load_stored_entity(EntityTables(warehouse, entity))
        tables = EntityTables(warehouse, stored)
        entity_key = _find_key(tables, key, connections=sorted(workspace.load_connections()))
        versions, entries = load_versions(tables, entity_key), load_log_entries(tables, entity_key)
        origins = load_batch_origins(
            warehouse, [*(entry.batch_id for entry in entries), *(row["batch_id"] for row in versions)]
        )
    moments = tuple(_add_origin(moment, origins) for moment in _list_changes(stored, versions, entries))
    return History(
        entity=entity.entity,
        entity_key=entity_key,
        events=len(entries),
        overwritten={column: versions[-1][column] for column in stored.overwritten} if versions else {},
        moments=add_raw_records(workspace, entity, entity_key, moments) if raw else moments,
    )


def _find_entity(workspace: TenantWorkspace, name: str) -> Entity:
    entities = workspace.declarations.entities
    entity = entities.get(name.removeprefix("silver."))
    if entity is None:
        hint = did_you_mean(name.removeprefix("dim_"), entities)
        raise DeclarationError(f"There is no entity `{name}`.", where="history", details=name, hint=hint)
    return entity


def _find_key(tables: EntityTables, key: str, *, connections: Sequence[str]) -> str:
    """The complete entity key. StateError if no record has this key, or several do."""
    keys = find_keys(tables, {key, *(f"{connection}:{key}" for connection in connections)})
    if len(keys) == 1:
        return keys[0]
    if keys:
        hint = f"pass one of: {', '.join(keys)}"
        raise StateError(
            f"Several connections have a {tables.name} with this key.", where="history", details=key, hint=hint
        )
    example = read_first_key(tables)
    hint = f"keys are written like `{example}`" if example else "no data was read yet: run `headwater run`"
    raise StateError(f"There is no {tables.name} with this key.", where="history", details=key, hint=hint)


def _list_changes(
    entity: Entity, versions: Sequence[VersionRow], entries: Sequence[LogEntry]
) -> Iterator[VersionChange]:
    ends = {entry.sequence: entry for entry in entries if entry.operation in {"D", "A"}}
    if not versions and entries:
        # The log has only deletes: there is no version, but a delete to show.
        yield _build_end(entries[0], None)
    for number, version in enumerate(versions):
        yield _build_start(entity, version, versions[number - 1] if number else None)
        then = versions[number + 1]["valid_from"] if number + 1 < len(versions) else None
        if version["valid_to"] not in {then, FOREVER}:
            yield _build_end(ends[to_micros(version["valid_to"])], then)


def _build_start(entity: Entity, version: VersionRow, previous: VersionRow | None) -> VersionChange:
    changes = tuple(
        Change(column=name, old=previous[name] if previous else None, new=version[name])
        for name in entity.tracked
        if version[name] != (previous[name] if previous else None)
    )
    is_adjacent = previous is not None and previous["valid_to"] == version["valid_from"]
    return VersionChange(
        at=version["valid_from"],
        until=None if version["valid_to"] == FOREVER else version["valid_to"],
        kind="first" if previous is None else "changed" if is_adjacent else "back",
        changes=changes,
        batch_id=version["batch_id"],
    )


def _build_end(entry: LogEntry, until: datetime | None) -> VersionChange:
    return VersionChange(
        at=from_micros(entry.sequence),
        until=until,
        kind="deleted" if entry.operation == "D" else "absent",
        batch_id=entry.batch_id,
    )


def _add_origin(moment: VersionChange, origins: Mapping[str, BatchOrigin]) -> VersionChange:
    origin = origins.get(moment.batch_id)
    if origin is None:
        return moment
    return replace(moment, connection=origin.connection, source=origin.source, read_at=origin.read_at)
