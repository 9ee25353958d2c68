"""What stands between bronze and silver: how an entity's sources are read, and which landed batches arrive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headwater.batch import Batch, Feed
from headwater.bronze.distinct_keys import read_keys
from headwater.bronze.land import find_refused_file
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, Ledger
from headwater.model.entity import Entity
from headwater.model.entity import Source as Mapped
from headwater.model.expression import Scope, compile_expression
from headwater.model.field import contract_fields
from headwater.model.names_in_scope import bronze_columns
from headwater.run.pipeline.source_clock import believed
from headwater.run.pipeline.sources import Source
from headwater.run.workspace import Workspace
from headwater.silver.consumed_batches import ConsumedBatch
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.wire.cursor import DeleteFlag, IdSweep, NoDeletes, SnapshotDeletes

_LANDED = ("transformed", "completed")


def readings_of(workspace: Workspace, entity: Entity) -> dict[str, SourceMapping]:
    """How each source of an entity is read, by `connector.resource`."""
    return {name: _reading(workspace, entity, name, source) for name, source in entity.sources.items()}


def arrivals_of(
    ledger: Ledger, lake: Lake, sources: Mapping[Feed, Source], entity: Entity, *, known: Mapping[str, ConsumedBatch]
) -> list[LandedBatch]:
    """The landed batches that an entity has not taken yet, and those whose deletes still wait."""
    found: list[LandedBatch] = []
    for feed, source in sources.items():
        if source.name not in entity.sources:
            continue
        for row in ledger.batches(feed.tenant, feed=feed):
            before = known.get(row.batch.id)
            if row.stage in _LANDED and (before is None or before.verdict == "waiting"):
                found.append(arrival_of(ledger, lake, source, row))
    return found


def arrival_of(ledger: Ledger, lake: Lake, source: Source, row: BatchRow) -> LandedBatch:
    """One landed batch on its way to silver, with what it holds but was refused."""
    waiting = ledger.list_refused(row.batch.feed.tenant, batch_id=row.batch.id) if row.quarantined else ()
    return LandedBatch(
        source=source.name,
        batch=believed(row),
        files=files_of(row.batch, lake),
        refused=sum(one.state != "readmitted" for one in waiting),
        refused_file=find_refused_file(row.batch, lake) if row.quarantined else None,
        observed_at=row.read_at,
        credible_until=row.credible_until,
        is_proved=row.proved,
    )


def allowed_drops(ledger: Ledger, tenant: str, entity: str, arrivals: Iterable[LandedBatch]) -> set[str]:
    """The complete reads whose deletes a person has let through: a rebuild lets them through as well."""
    reads = (one.batch.id for one in arrivals if one.is_complete)
    return {batch for batch in reads if ledger.get_mark(tenant, _allowed(entity, batch))}


def allow_drops(ledger: Ledger, tenant: str, entity: str, arrivals: Iterable[LandedBatch]) -> None:
    """Remember that a person has let the deletes of these complete reads through."""
    for arrival in arrivals:
        if arrival.is_complete:
            ledger.set_mark(tenant, _allowed(entity, arrival.batch.id), "yes")


def _allowed(entity: str, batch: str) -> str:
    return f"allow-drop:{entity}:{batch}"


def files_of(batch: Batch, lake: Lake) -> tuple[str, ...]:
    """A batch's files in bronze, as DuckDB reads them: the rows that landed, and those readmitted later."""
    return tuple(lake.url(path) for path in lake.list_batch("bronze", batch))


def _reading(workspace: Workspace, entity: Entity, name: str, source: Mapped) -> SourceMapping:
    connector, _, resource = name.partition(".")
    plug = workspace.plug(connector)
    scope = Scope(
        columns=bronze_columns(contract_fields(plug.contracts[resource])),
        settings=workspace.project.settings,
        rules=workspace.declarations.rules,
    )
    declared = plug.connector.resource(resource)
    deletes = declared.deletes if declared else None

    def sql(text: str | None, *path: str) -> str | None:
        where = entity.origin.location_of("sources", name, *path)
        return None if text is None else compile_expression(text, scope, where=where)

    deleted = source.deleted
    if deleted is None and isinstance(deletes, DeleteFlag):
        deleted = f"lower(cast({deletes.field} as text)) = '{deletes.equals.lower()}'"
    return SourceMapping(
        source=name,
        columns={column: str(sql(text, "map", column)) for column, text in source.map.items()},
        changed_at=sql(source.changed_at, "changed_at"),
        where=sql(source.where, "where"),
        deleted=sql(deleted, "deleted"),
        has_deletes=not isinstance(deletes, NoDeletes),
        max_drop=deletes.max_drop if isinstance(deletes, IdSweep | SnapshotDeletes) else None,
    )


def parent_keys(ledger: Ledger, lake: Lake, source: Source) -> list[str]:
    """The parents to read below, sorted: those of the newest complete read, and all that landed since."""
    parent = source.resource.parent
    if parent is None:
        return []
    feed = Feed(tenant=source.feed.tenant, connection=source.feed.connection, resource=parent.resource)
    rows = [row for row in ledger.batches(feed.tenant, feed=feed) if row.stage in ("transformed", "completed")]
    files = [file for row in _since_complete(rows) for file in files_of(row.batch, lake)]
    column = parent.field.replace(".", "_")
    return sorted(read_keys(files, column), key=lambda key: (len(key), key))


def _since_complete(rows: Iterable[BatchRow]) -> list[BatchRow]:
    """The newest complete read, and what was read or landed after it: older batches have nothing to add."""
    listed = list(rows)
    complete = [row for row in listed if row.batch.purpose in ("sweep", "snapshot")]
    if not complete:
        return listed
    newest = max(complete, key=lambda row: row.batch.window.until)
    return [
        row
        for row in listed
        if row is newest or row.batch.window.until > newest.batch.window.until or _later(row, newest)
    ]


def _later(row: BatchRow, than: BatchRow) -> bool:
    return row.started_at is not None and than.started_at is not None and row.started_at > than.started_at
