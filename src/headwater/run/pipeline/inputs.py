"""The inputs of silver and gold: the source mappings of an entity, its landed batches, and which tables have news."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from headwater.batch import Batch, Feed
from headwater.bronze.distinct_keys import read_keys
from headwater.bronze.land import find_refused_file
from headwater.clock import EPOCH
from headwater.gold.change_feed import FeedPositions, read_positions
from headwater.gold.news import has_news
from headwater.gold.star import Star
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, Ledger
from headwater.model.dimension import DateDimension, Dimension
from headwater.model.entity import Entity
from headwater.model.entity import Source as Mapped
from headwater.model.expression import Scope, compile_expression
from headwater.model.fact import Fact
from headwater.model.names_in_scope import map_bronze_columns
from headwater.model.tables import list_source_entities, name_table
from headwater.names import quote
from headwater.run.pipeline.source_clock import correct_window
from headwater.run.pipeline.sources import Source
from headwater.run.workspace import Workspace
from headwater.silver.consumed_batches import ConsumedBatch, load_all_consumed, load_consumed, save_empty
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.warehouse.base import Warehouse
from headwater.wire.cursor import DeleteFlag, DeleteMark, IdSweep, NoDeletes, SnapshotDeletes
from headwater.wire.records import split_path

_LANDED = ("transformed", "completed")


@dataclass(kw_only=True)
class WarehouseReads:
    """What the steps of a run need to know of the warehouse, read once for all of them, and again after a change.

    Only this run writes the warehouse, because it holds the lease of the tenant.
    """

    consumed: dict[str, dict[str, ConsumedBatch]] | None = None
    """The batches that each entity has taken, when the first step asked."""
    written: set[str] = field(default_factory=set)
    """The entities that this run changed since `consumed` was read."""
    ready_entities: set[str] = field(default_factory=set)
    """The entities whose tables are as their declarations say."""
    positions: FeedPositions | None = None
    """How far the tables of gold are; None after a step that may have changed it."""
    empty: dict[str, Sequence[LandedBatch]] = field(default_factory=dict)
    """By entity: batches without any record that it has not taken yet."""

    def get_consumed(self, warehouse: Warehouse, entity: str) -> Mapping[str, ConsumedBatch]:
        """The batches that an entity has taken."""
        if self.consumed is None:
            self.consumed = load_all_consumed(warehouse)
        if entity in self.written:
            self.consumed[entity] = load_consumed(warehouse, entity)
            self.written.discard(entity)
        return self.consumed.setdefault(entity, {})

    def refresh(self, entity: str) -> None:
        """After a change of an entity: forget what it has taken, and how far gold is, because it may have news for gold."""
        self.positions = None
        self.written.add(entity)

    def save_empty(self, warehouse: Warehouse) -> None:
        """Remember in the warehouse that the empty batches were taken, before anything relies on it."""
        save_empty(warehouse, self.empty)
        if self.empty:
            self.empty.clear()
            self.positions = None

    def load_positions(self, warehouse: Warehouse) -> FeedPositions:
        """How far the tables of gold are now."""
        if self.positions is None:
            self.positions = read_positions(warehouse)
        return self.positions

    def has_news(self, warehouse: Warehouse, star: Star, table: Dimension | Fact, *, declared: int) -> bool:
        """Whether there may be something to do for a table of gold."""
        if warehouse.describe("gold", name_table(table)) is None:
            return True
        return has_news(self.load_positions(warehouse), star, table, declared=declared)

    def find_declared(self, warehouse: Warehouse, star: Star, table: Dimension | Fact, fingerprint: int) -> int:
        """The fingerprint of the declarations, if all that a table of gold is built from is as these say; 0 otherwise."""
        is_ready = list_source_entities(table) <= self.ready_entities
        if isinstance(table, Fact):
            positions = self.load_positions(warehouse)
            # Days are built from their declaration alone, which is part of what a fact is made by.
            others = (one for one in star.find_dimensions(table).values() if not isinstance(one, DateDimension))
            is_ready &= all(positions.is_compared(name_table(one), fingerprint) for one in others)
        return fingerprint if is_ready else 0


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
    if deleted is None and isinstance(deletes, DeleteMark):
        deleted = f"{'.'.join(map(quote, split_path(deletes.field)))} IS NOT NULL"
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
