"""What stands between bronze and silver: how an entity's sources are read, and which landed batches arrive."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.batch import Batch, Feed
from headwater.bronze.land import PARQUET
from headwater.bronze.quarantine import retried_files
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, Ledger
from headwater.model.entity import Entity
from headwater.model.entity import Source as Mapped
from headwater.model.expression import Scope, compile_expression
from headwater.model.field import fields_of
from headwater.model.scope import bronze_columns
from headwater.run.clocks import believed
from headwater.run.feeds import Source
from headwater.run.opened import Opened
from headwater.silver.reading import Arrival, Reading
from headwater.wire.cursor import Flag, Sweep


def readings_of(opened: Opened, entity: Entity) -> dict[str, Reading]:
    """How each source of an entity is read, by `connector.resource`."""
    return {name: _reading(opened, entity, name, source) for name, source in entity.sources.items()}


def arrivals_of(
    ledger: Ledger, lake: Lake, sources: Mapping[Feed, Source], entity: Entity, *, everything: bool
) -> list[Arrival]:
    """The landed batches that an entity has not taken yet; with `everything`, all that ever landed."""
    found: list[Arrival] = []
    for feed, source in sources.items():
        if source.name not in entity.sources:
            continue
        rows = ledger.batches(feed.tenant, feed=feed)
        taken = ("transformed", "completed") if everything else ("transformed",)
        found += [arrival_of(ledger, lake, source, row) for row in rows if row.stage in taken]
    return found


def arrival_of(ledger: Ledger, lake: Lake, source: Source, row: BatchRow) -> Arrival:
    """One landed batch on its way to silver. What it holds but was refused is spared by a sweep."""
    refused = ledger.refused(row.batch.feed.tenant, batch_id=row.batch.id) if row.quarantined else ()
    return Arrival(
        source=source.name,
        batch=believed(row),
        files=files_of(row.batch, lake),
        spared=tuple(one.key for one in refused if one.state != "readmitted"),
        observed_at=row.read_at,
        proved=row.proved,
    )


def files_of(batch: Batch, lake: Lake) -> tuple[str, ...]:
    """A batch's files in bronze, as DuckDB reads them: the rows that landed, and those readmitted later."""
    path = lake.path("bronze", batch, PARQUET)
    own = (path,) if lake.size(path) is not None else ()
    return tuple(lake.url(one) for one in (*own, *retried_files(batch, lake)))


def _reading(opened: Opened, entity: Entity, name: str, source: Mapped) -> Reading:
    connector, _, resource = name.partition(".")
    plug = opened.plug(connector)
    scope = Scope(
        columns=bronze_columns(fields_of(plug.contracts[resource])),
        settings=opened.project.settings,
        rules=opened.declarations.rules,
    )
    declared = plug.connector.resource(resource)
    deletes = declared.deletes if declared else None

    def sql(text: str | None, *path: str) -> str | None:
        where = entity.origin.of("sources", name, *path)
        return None if text is None else compile_expression(text, scope, where=where)

    deleted = source.deleted
    if deleted is None and isinstance(deletes, Flag):
        deleted = f"lower(cast({deletes.field} as text)) = '{deletes.equals.lower()}'"
    return Reading(
        source=name,
        columns={column: str(sql(text, "map", column)) for column, text in source.map.items()},
        changed_at=sql(source.changed_at, "changed_at"),
        where=sql(source.where, "where"),
        deleted=sql(deleted, "deleted"),
        max_drop=deletes.max_drop if isinstance(deletes, Sweep) else 0.2,
    )
