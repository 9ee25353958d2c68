"""Makes the tables of an entity ready: new ones, further columns, other names, wider types, as its declaration decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace

from headwater.errors import DeclarationError
from headwater.model.entity import LOGGED, RESERVED, Entity
from headwater.names import quote_literal
from headwater.silver.entity_tables import EntityTables
from headwater.silver.schema.diff import OUTDATED, SchemaDiff, check_decision, diff_schema, with_stored_columns
from headwater.silver.schema.snapshot import (
    SchemaSnapshot,
    find_snapshots,
    is_outdated,
    load_snapshots,
    read_stored_schema,
    save_snapshot,
)
from headwater.silver.schema.tables import ENTITY_SCHEMAS, META
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
        return _migrate(EntityTables(warehouse, entity))


def find_migrated(warehouse: Warehouse, entities: Iterable[Entity]) -> dict[str, Entity]:
    """The entities whose tables are as they need them, each as its history goes on; others need `migrate_tables`."""
    notes = find_snapshots(warehouse)
    by_name: dict[str, Entity] = {}
    for entity in entities:
        tables, known = EntityTables(warehouse, entity), notes.get(entity.entity)
        if known is None or known.rebuilding or is_outdated(tables, known) or not _has_tables(tables):
            continue
        merged = with_stored_columns(entity, known)
        if _build_snapshot(merged, set(entity.columns), rebuilding=False).render() == known.render():
            by_name[entity.entity] = merged
    return by_name


def _has_tables(tables: EntityTables) -> bool:
    names = (tables.name, f"{tables.name}_log", f"{tables.name}_current")
    return all(tables.warehouse.describe("silver", name) is not None for name in names)


def create_meta_tables(warehouse: Warehouse) -> None:
    """Make the tables by which silver and gold tell each other what changed."""
    with warehouse.transaction():
        for table in META:
            warehouse.ensure(table)


def drop_entity(warehouse: Warehouse, entity: Entity) -> None:
    """Drop an entity's tables and metadata; the next run rebuilds them from all landed batches.

    The rebuild stays marked as in progress until `finish_rebuild`.
    """
    tables = EntityTables(warehouse, entity)
    with warehouse.transaction():
        _drop_tables(tables)
        if warehouse.describe("meta", ENTITY_SCHEMAS.name) is not None:
            save_snapshot(tables, SchemaSnapshot(columns={}, rebuilding=True).render())


def finish_rebuild(warehouse: Warehouse, entity: Entity) -> None:
    """Mark a rebuild as finished; nothing happens where none is in progress."""
    known = load_snapshots(warehouse).get(entity.entity)
    if known is not None and known.rebuilding:
        save_snapshot(EntityTables(warehouse, entity), replace(known, rebuilding=False).render())


def _migrate(tables: EntityTables) -> MigratedEntity:
    entity, notes = tables.entity, load_snapshots(tables.warehouse)
    known, stored = notes.get(tables.name), read_stored_schema(tables, notes)
    if is_outdated(tables, known):
        raise _build_outdated_error(tables.name)
    rebuilding = known is not None and known.rebuilding
    if stored is not None and known is not None:
        merged = with_stored_columns(entity, stored)
        if _build_snapshot(merged, set(entity.columns), rebuilding=rebuilding).render() == known.render():
            return MigratedEntity(entity=merged)
    change = diff_schema(entity, stored) if stored else SchemaDiff()
    if stored is not None and change.has_changes and not tables.has_events():
        _drop_tables(tables)
        stored, change = None, SchemaDiff()
    if stored is not None:
        entity = _TableMigration(tables=tables, stored=stored, change=change).run()
    _create_tables(EntityTables(tables.warehouse, entity))
    save_snapshot(tables, _build_snapshot(entity, set(tables.entity.columns), rebuilding=rebuilding).render())
    return MigratedEntity(entity=entity, change=change)


def _build_snapshot(stored: Entity, declared: Set[str], *, rebuilding: bool) -> SchemaSnapshot:
    """What is noted of tables that have the columns of `stored`, of which the `declared` ones are declared now."""
    retired = tuple(name for name in stored.columns if name not in declared)
    return SchemaSnapshot(key=stored.key, columns=stored.columns, retired=retired, rebuilding=rebuilding)


def _drop_tables(tables: EntityTables) -> None:
    warehouse = tables.warehouse
    warehouse.drop("silver", f"{tables.name}_current")
    warehouse.drop("silver", tables.name)
    warehouse.drop("silver", f"{tables.name}_log")
    for name in ("tied_keys", "entity_schema", "change_feed", "consumer_offset", "consumed_batch", "repeat_watermark"):
        if warehouse.describe("meta", name) is not None:
            warehouse.delete("meta", name, tables.own_condition)


def _create_tables(tables: EntityTables) -> None:
    warehouse = tables.warehouse
    warehouse.ensure(tables.versions)
    warehouse.ensure(tables.log)
    select = f"SELECT * FROM {tables.versions_ref} WHERE is_current"
    warehouse.ensure_view("silver", f"{tables.name}_current", select)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TableMigration:
    """A changed declaration on its way to tables that have rows."""

    tables: EntityTables
    stored: SchemaSnapshot
    change: SchemaDiff

    def run(self) -> Entity:
        """Rename columns and fill in what events know; the entity as its history goes on."""
        entity, stored = self.tables.entity, self.stored
        if error := check_decision(entity, self.change) or self._check_rebuild():
            raise error
        if self.change.renamed:
            stored = self._rename_columns()
        self._fill_known_columns(stored)
        return with_stored_columns(entity, stored)

    def _check_rebuild(self) -> DeclarationError | None:
        entity = self.tables.entity
        if not self.change.needs_decision or entity.on_schema_change != "rebuild":
            return None
        return DeclarationError(
            f"entity `{entity.entity}`: its history must be rebuilt before it can continue; nothing was written",
            where=str(entity.origin),
            details=str(self.change),
            hint=f"run `headwater run` or `headwater rebuild --entity {entity.entity}`",
        )

    def _rename_columns(self) -> SchemaSnapshot:
        """Rename stored columns; rows and events stay the same."""
        warehouse, stored = self.tables.warehouse, self.stored
        names = {before: name for name, before in self.change.renamed.items()}
        renamed = {names.get(name, name): column for name, column in stored.columns.items()}
        warehouse.drop("silver", f"{self.tables.name}_current")
        for table in (self.tables.versions, self.tables.log):
            warehouse.rename_columns("silver", table.name, names)
        known = "known_columns"
        for before, name in names.items():
            known = f"REPLACE({known}, {quote_literal(f',{before},')}, {quote_literal(f',{name},')})"
        self._update_log({"known_columns": known}, "known_columns IS NOT NULL")
        called = {
            name: column.model_copy(update={"renamed_from": column.renamed_from or before})
            for before, (name, column) in zip(stored.columns, renamed.items(), strict=True)
            if before != name
        }
        return replace(stored, columns={**renamed, **called})

    def _fill_known_columns(self, stored: SchemaSnapshot) -> None:
        """Events that knew every column then do not know the new ones: let them say which they know."""
        if not set(self.change.added) <= set(stored.retired):
            known = {"known_columns": quote_literal(format_known_columns(stored.columns))}
            self._update_log(known, "known_columns IS NULL AND operation = 'U'")

    def _update_log(self, values: Mapping[str, str], where: str) -> None:
        self.tables.warehouse.update("silver", f"{self.tables.name}_log", values, where)


def _build_outdated_error(name: str) -> DeclarationError:
    return DeclarationError(
        f"entity `{name}`: its history cannot continue and must be rebuilt from all landed batches",
        where=f"silver.{name}_log",
        details=OUTDATED,
        hint=f"run `headwater run` or `headwater rebuild --entity {name}`",
    )


def _check_names(entity: Entity) -> None:
    taken = sorted({*LOGGED, *RESERVED} & set(entity.columns))
    if taken:
        raise DeclarationError(
            f"entity `{entity.entity}` cannot have a column `{taken[0]}`: the name is reserved in silver",
            where=str(entity.origin),
            details=f"columns: {', '.join(entity.columns)}",
            hint="give the column another name",
        )
