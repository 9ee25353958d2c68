"""The inputs of silver: the source mappings of an entity, and its landed batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from headwater.batch import Batch, Feed
from headwater.bronze.distinct_keys import read_keys
from headwater.bronze.land import find_refused_file
from headwater.clock import EPOCH
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, Ledger
from headwater.model.entity import Entity
from headwater.model.entity import Source as Mapped
from headwater.model.expression import Scope, compile_expression
from headwater.model.names_in_scope import map_bronze_columns
from headwater.run.pipeline.source_clock import correct_window
from headwater.run.pipeline.sources import Source
from headwater.run.workspace import Workspace
from headwater.silver.consumed_batches import ConsumedBatch
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.wire.cursor import DeleteFlag, IdSweep, NoDeletes, SnapshotDeletes

_LANDED = ("transformed", "completed")


def build_mappings(workspace: Workspace, entity: Entity) -> dict[str, SourceMapping]:
    """The mapping of each source of an entity, by `connector.resource`."""
    return {name: _build_mapping(workspace, entity, name, source) for name, source in entity.sources.items()}


def list_landed(
    ledger: Ledger, lake: Lake, sources: Mapping[Feed, Source], entity: Entity, *, consumed: Mapping[str, ConsumedBatch]
) -> list[LandedBatch]:
    """The landed batches that an entity has not consumed yet, and those whose deletes wait for confirmation."""
    landed: list[LandedBatch] = []
    for feed, source in sources.items():
        if source.name not in entity.sources:
            continue
        for row in ledger.list_batches(feed.tenant, feed=feed):
            before = consumed.get(row.batch.id)
            if row.stage in _LANDED and (before is None or before.verdict == "waiting"):
                landed.append(load_landed(ledger, lake, source, row))
    return landed


def load_landed(ledger: Ledger, lake: Lake, source: Source, row: BatchRow) -> LandedBatch:
    """Build the value of a landed batch, with the number and the file of its refused records."""
    refused = ledger.list_refused(row.batch.feed.tenant, batch_id=row.batch.id) if row.quarantined else ()
    return LandedBatch(
        source=source.name,
        batch=correct_window(row),
        files=list_files(row.batch, lake),
        refused=sum(record.state != "readmitted" for record in refused),
        refused_file=find_refused_file(row.batch, lake) if row.quarantined else None,
        observed_at=row.read_at,
        credible_until=row.credible_until,
        is_proved=row.proved,
    )


def load_allowed_drops(ledger: Ledger, tenant: str, entity: str, batches: Iterable[LandedBatch]) -> set[str]:
    """The complete reads whose deletes a user has allowed. A rebuild applies them as well."""
    reads = (item.batch.id for item in batches if item.is_complete)
    return {batch for batch in reads if ledger.get_mark(tenant, _name_mark(entity, batch))}


def allow_drops(ledger: Ledger, tenant: str, entity: str, batches: Iterable[LandedBatch]) -> None:
    """Save that a user has allowed the deletes of these complete reads."""
    for item in batches:
        if item.is_complete:
            ledger.set_mark(tenant, _name_mark(entity, item.batch.id), "yes")


def _name_mark(entity: str, batch: str) -> str:
    return f"allow-drop:{entity}:{batch}"


def list_files(batch: Batch, lake: Lake) -> tuple[str, ...]:
    """The URLs of the bronze files of a batch: the landed rows, and rows that were readmitted later."""
    return tuple(lake.fetch(path) for path in lake.list_batch("bronze", batch))


def _build_mapping(workspace: Workspace, entity: Entity, name: str, source: Mapped) -> SourceMapping:
    connector, _, resource = name.partition(".")
    plugin = workspace.find_connector(connector)
    scope = Scope(
        columns=map_bronze_columns(plugin.get_fields(resource)),
        settings=workspace.project.settings,
        rules=workspace.declarations.rules,
    )
    declared = plugin.connector.find_resource(resource)
    deletes = declared.deletes if declared else None

    def compile_sql(text: str | None, *path: str) -> str | None:
        where = entity.origin.find_location("sources", name, *path)
        return None if text is None else compile_expression(text, scope, where=where)

    deleted = source.deleted
    if deleted is None and isinstance(deletes, DeleteFlag):
        deleted = f"lower(cast({deletes.field} as text)) = '{deletes.equals.lower()}'"
    return SourceMapping(
        source=name,
        columns={column: str(compile_sql(text, "map", column)) for column, text in source.map.items()},
        changed_at=compile_sql(source.changed_at, "changed_at"),
        where=compile_sql(source.where, "where"),
        deleted=compile_sql(deleted, "deleted"),
        has_deletes=not isinstance(deletes, NoDeletes),
        max_drop=deletes.max_drop if isinstance(deletes, IdSweep | SnapshotDeletes) else None,
    )


def read_parent_keys(ledger: Ledger, lake: Lake, source: Source) -> list[str]:
    """The keys of the parents to read, sorted: those in the newest complete read, and all that landed since."""
    parent = source.resource.parent
    if parent is None:
        return []
    feed = Feed(tenant=source.feed.tenant, connection=source.feed.connection, resource=parent.resource)
    rows = [row for row in ledger.list_batches(feed.tenant, feed=feed) if row.stage in ("transformed", "completed")]
    files = [file for row in _drop_superseded(rows) for file in list_files(row.batch, lake)]
    column = parent.field.replace(".", "_")
    return sorted(read_keys(files, column), key=lambda key: (len(key), key))


def find_parent_changes(
    ledger: Ledger, lake: Lake, source: Source, *, read_until: Iterable[datetime]
) -> dict[str, datetime]:
    """The end of the newest window in which each parent has changed, by key.

    `read_until`: until when the records of the parents have been read. Changes before the earliest of them are left out.
    Only reads of changes count: a snapshot or a sweep lists each parent, whether or not it has changed.
    """
    after = min(read_until, default=EPOCH)
    parent = source.resource.parent
    assert parent is not None
    feed = Feed(tenant=source.feed.tenant, connection=source.feed.connection, resource=parent.resource)
    changed: dict[str, datetime] = {}
    for row in ledger.list_batches(feed.tenant, feed=feed):
        until = row.batch.window.until
        if row.stage in _LANDED and row.batch.purpose == "changes" and until > after:
            for key in read_keys(list_files(row.batch, lake), parent.field.replace(".", "_")):
                changed[key] = max(until, changed.get(key, until))
    return changed


def _drop_superseded(rows: Iterable[BatchRow]) -> list[BatchRow]:
    """The newest complete read, and all batches that were read or landed after it. Older batches add nothing."""
    listed = list(rows)
    complete = [row for row in listed if row.batch.purpose in ("sweep", "snapshot")]
    if not complete:
        return listed
    newest = max(complete, key=lambda row: row.batch.window.until)
    return [
        row
        for row in listed
        if row is newest or row.batch.window.until > newest.batch.window.until or _is_later(row, newest)
    ]


def _is_later(row: BatchRow, than: BatchRow) -> bool:
    return row.started_at is not None and than.started_at is not None and row.started_at > than.started_at
