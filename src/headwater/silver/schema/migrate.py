"""Makes the tables of an entity ready: new ones, further columns, other names, wider types, as its declaration decides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from headwater.errors import DeclarationError
from headwater.model.entity import LOGGED, RESERVED, Entity
from headwater.names import quote, quote_literal
from headwater.silver.schema.diff import OUTDATED, SchemaDiff, check_decision, diff_schema, merged_entity
from headwater.silver.schema.snapshot import (
    SchemaSnapshot,
    is_filled,
    is_outdated,
    load_snapshots,
    save_snapshot,
    stored_schema,
)
from headwater.silver.schema.tables import ENTITY_SCHEMAS, META, log_table, versions_table
from headwater.temporal.sql import format_known_columns
from headwater.warehouse.base import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratedEntity:
    """Tables that are as an entity needs them."""

    entity: Entity
    """The entity as its history goes on, with columns that are declared no more and are kept all the same."""
    change: SchemaDiff = field(default_factory=SchemaDiff)
    """What was carried out of a declaration that changed."""


def migrate_tables(warehouse: Warehouse, entity: Entity) -> MigratedEntity:
    """Bring the tables and the view of `entity` in line with its declaration, in one transaction.

    DeclarationError, and nothing is written, when columns of a history that is there come or go and the entity does not
    choose `from_now`, or when its key or the history of a column is declared otherwise: a rebuild begins with `drop_entity`.
    """
    _check_names(entity)
    if warehouse.describe("meta", ENTITY_SCHEMAS.name) is None:
        create_meta_tables(warehouse)
    with warehouse.transaction():
        notes = load_snapshots(warehouse)
        known, stored = notes.get(entity.entity), stored_schema(warehouse, entity, notes)
        if is_outdated(warehouse, entity, known):
            raise _outdated_error(entity)
        if (
            stored is not None
            and known is not None
            and _snapshot_text(merged_entity(entity, stored), entity, known) == known.text()
        ):
            return MigratedEntity(entity=merged_entity(entity, stored))
        change = diff_schema(entity, stored) if stored else SchemaDiff()
        if stored is not None and change.has_changes and not is_filled(warehouse, entity):
            _drop_tables(warehouse, entity)
            stored, change = None, SchemaDiff()
        whole = _migrate(warehouse, entity, stored, change) if stored else entity
        _create_tables(warehouse, whole)
        save_snapshot(warehouse, entity.entity, _snapshot_text(whole, entity, known))
    return MigratedEntity(entity=whole, change=change)


def create_meta_tables(warehouse: Warehouse) -> None:
    """Make the schemas, and the tables by which silver and gold tell each other what changed."""
    with warehouse.transaction():
        warehouse.prepare()
        for table in META:
            warehouse.ensure(table)


def drop_entity(warehouse: Warehouse, entity: Entity) -> None:
    """Drop an entity's tables and metadata; the next run rebuilds them from all landed batches.

    The rebuild stays marked as in progress until `finish_rebuild`.
    """
    with warehouse.transaction():
        _drop_tables(warehouse, entity)
        if warehouse.describe("meta", ENTITY_SCHEMAS.name) is not None:
            save_snapshot(warehouse, entity.entity, SchemaSnapshot(columns={}, rebuilding=True).text())


def finish_rebuild(warehouse: Warehouse, entity: Entity) -> None:
    """Mark a rebuild as finished; nothing happens where none is in progress."""
    known = load_snapshots(warehouse).get(entity.entity)
    if known is not None and known.rebuilding:
        save_snapshot(warehouse, entity.entity, replace(known, rebuilding=False).text())


def _drop_tables(warehouse: Warehouse, entity: Entity) -> None:
    warehouse.drop("silver", f"{entity.entity}_current")
    warehouse.drop("silver", entity.entity)
    warehouse.drop("silver", f"{entity.entity}_log")
    for name in ("tied_keys", "entity_schema", "change_feed", "consumer_offset", "consumed_batch", "repeat_watermark"):
        if warehouse.describe("meta", name) is not None:
            warehouse.delete("meta", name, f"entity = {quote_literal(entity.entity)}")


def _snapshot_text(whole: Entity, entity: Entity, known: SchemaSnapshot | None) -> str:
    """What is to be noted of tables that are made as `whole` needs them."""
    retired = tuple(name for name in whole.columns if name not in entity.columns)
    anew = known is not None and known.rebuilding
    return SchemaSnapshot(key=entity.key, columns=whole.columns, retired=retired, rebuilding=anew).text()


def _migrate(warehouse: Warehouse, entity: Entity, stored: SchemaSnapshot, change: SchemaDiff) -> Entity:
    """The entity as its history goes on, once what is stored can take it."""
    if error := check_decision(entity, change) or _check_rebuild(entity, change):
        raise error
    if change.renamed:
        stored = _rename_columns(warehouse, entity, stored, change)
    _fill_known_columns(warehouse, entity, stored, change)
    return merged_entity(entity, stored)


def _check_rebuild(entity: Entity, change: SchemaDiff) -> DeclarationError | None:
    if not change.needs_decision or entity.on_schema_change != "rebuild":
        return None
    return DeclarationError(
        f"entity `{entity.entity}`: its history must be rebuilt before it can continue; nothing was written",
        where=str(entity.origin),
        details=str(change),
        hint=f"run `headwater run` or `headwater rebuild --entity {entity.entity}`",
    )


def _outdated_error(entity: Entity) -> DeclarationError:
    return DeclarationError(
        f"entity `{entity.entity}`: its history cannot continue and must be rebuilt from all landed batches",
        where=f"silver.{entity.entity}_log",
        details=OUTDATED,
        hint=f"run `headwater run` or `headwater rebuild --entity {entity.entity}`",
    )


def _create_tables(warehouse: Warehouse, entity: Entity) -> None:
    warehouse.ensure(versions_table(entity))
    warehouse.ensure(log_table(entity))
    select = f"SELECT * FROM {warehouse.ref('silver', entity.entity)} WHERE is_current"
    warehouse.ensure_view("silver", f"{entity.entity}_current", select)
    if warehouse.capabilities.as_of_functions:
        warehouse.ensure_asof("silver", entity.entity)


def _rename_columns(warehouse: Warehouse, entity: Entity, stored: SchemaSnapshot, change: SchemaDiff) -> SchemaSnapshot:
    """Rename stored columns; rows and events stay the same."""
    names = {before: name for name, before in change.renamed.items()}
    renamed = {names.get(name, name): column for name, column in stored.columns.items()}
    both = entity.model_copy(update={"columns": {**stored.columns, **renamed}})
    warehouse.drop("silver", f"{entity.entity}_current")
    values = {name: quote(before) for name, before in change.renamed.items()}
    somewhere = " OR ".join(f"{value} IS NOT NULL" for value in values.values())
    for table in (versions_table(both), log_table(both)):
        warehouse.ensure(table)
        warehouse.update(table.layer, table.name, values, somewhere)
        warehouse.drop_columns(table.layer, table.name, tuple(names))
    known = "known_columns"
    for before, name in names.items():
        known = f"REPLACE({known}, {quote_literal(f',{before},')}, {quote_literal(f',{name},')})"
    warehouse.update("silver", f"{entity.entity}_log", {"known_columns": known}, "known_columns IS NOT NULL")
    called = {
        name: column.model_copy(update={"renamed_from": column.renamed_from or before})
        for before, (name, column) in zip(stored.columns, renamed.items(), strict=True)
        if before != name
    }
    return replace(stored, columns={**renamed, **called})


def _check_names(entity: Entity) -> None:
    taken = sorted({*LOGGED, *RESERVED} & set(entity.columns))
    if taken:
        raise DeclarationError(
            f"entity `{entity.entity}` cannot have a column `{taken[0]}`: the name is reserved in silver",
            where=str(entity.origin),
            details=f"columns: {', '.join(entity.columns)}",
            hint="give the column another name",
        )


def _fill_known_columns(warehouse: Warehouse, entity: Entity, stored: SchemaSnapshot, change: SchemaDiff) -> None:
    """Events that knew every column then do not know the new ones: let them say which they know."""
    if set(change.added) <= set(stored.retired):
        return
    said = {"known_columns": quote_literal(format_known_columns(stored.columns))}
    warehouse.update("silver", f"{entity.entity}_log", said, "known_columns IS NULL AND operation = 'U'")
