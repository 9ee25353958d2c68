"""Makes the tables of an entity ready: new ones, further columns, other names, wider types, as its declaration decides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from headwater.errors import DeclarationError
from headwater.model.entity import RESERVED, Entity
from headwater.names import literal, quote
from headwater.silver.schema.diff import OUTDATED, Redeclared, going_on, redeclared, undecided
from headwater.silver.schema.snapshot import Noted, is_filled, is_outdated, note, notes_of, stored_as
from headwater.silver.schema.tables import LOG_COLUMNS, META, SHAPES, log_table, versions_table
from headwater.temporal.sql import known_list
from headwater.warehouse.base import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Tables that are as an entity needs them."""

    entity: Entity
    """The entity as its history goes on, with columns that are declared no more and are kept all the same."""
    change: Redeclared = field(default_factory=Redeclared)
    """What was carried out of a declaration that changed."""


def ready(warehouse: Warehouse, entity: Entity) -> Ready:
    """Bring the tables and the view of `entity` in line with its declaration, in one transaction.

    DeclarationError, and nothing is written, when columns of a history that is there come or go and the entity does not
    choose `from_now`, or when its key or the history of a column is declared otherwise: a rebuild begins with `drop`.
    """
    _check_names(entity)
    if warehouse.describe("meta", SHAPES.name) is None:
        ready_meta(warehouse)
    with warehouse.transaction():
        notes = notes_of(warehouse)
        known, stored = notes.get(entity.entity), stored_as(warehouse, entity, notes)
        if is_outdated(warehouse, entity, known):
            raise _outdated(entity)
        if stored is not None and known is not None and _noted(going_on(entity, stored), entity, known) == known.text():
            return Ready(entity=going_on(entity, stored))
        change = redeclared(entity, stored) if stored else Redeclared()
        if stored is not None and change.anything and not is_filled(warehouse, entity):
            _drop(warehouse, entity)
            stored, change = None, Redeclared()
        whole = _turned(warehouse, entity, stored, change) if stored else entity
        _make(warehouse, whole)
        note(warehouse, entity.entity, _noted(whole, entity, known))
    return Ready(entity=whole, change=change)


def ready_meta(warehouse: Warehouse) -> None:
    """Make the schemas, and the tables by which silver and gold tell each other what changed."""
    with warehouse.transaction():
        warehouse.prepare()
        for table in META:
            warehouse.ensure(table)


def drop(warehouse: Warehouse, entity: Entity) -> None:
    """Drop the tables of `entity` and what is remembered of them, so that all that landed makes them anew.

    That this is under way is remembered until `settle` ends it.
    """
    with warehouse.transaction():
        _drop(warehouse, entity)
        if warehouse.describe("meta", SHAPES.name) is not None:
            note(warehouse, entity.entity, Noted(columns={}, anew=True).text())


def settle(warehouse: Warehouse, entity: Entity) -> None:
    """End a rebuild: all that landed is in the history. Nothing happens where none is under way."""
    known = notes_of(warehouse).get(entity.entity)
    if known is not None and known.anew:
        note(warehouse, entity.entity, replace(known, anew=False).text())


def _drop(warehouse: Warehouse, entity: Entity) -> None:
    warehouse.drop("silver", f"{entity.entity}_current")
    warehouse.drop("silver", entity.entity)
    warehouse.drop("silver", f"{entity.entity}_log")
    for name in ("tied", "shape", "change", "progress", "intake", "idle"):
        if warehouse.describe("meta", name) is not None:
            warehouse.delete("meta", name, f"entity = {literal(entity.entity)}")


def _noted(whole: Entity, entity: Entity, known: Noted | None) -> str:
    """What is to be noted of tables that are made as `whole` needs them."""
    retired = tuple(name for name in whole.columns if name not in entity.columns)
    anew = known is not None and known.anew
    return Noted(key=entity.key, columns=whole.columns, retired=retired, anew=anew).text()


def _turned(warehouse: Warehouse, entity: Entity, stored: Noted, change: Redeclared) -> Entity:
    """The entity as its history goes on, once what is stored can take it."""
    if error := undecided(entity, change) or _before_it_goes_on(entity, change):
        raise error
    if change.renamed:
        stored = _renamed(warehouse, entity, stored, change)
    _forget_nothing(warehouse, entity, stored, change)
    return going_on(entity, stored)


def _before_it_goes_on(entity: Entity, change: Redeclared) -> DeclarationError | None:
    if not change.matters or entity.on_schema_change != "rebuild":
        return None
    return DeclarationError(
        f"entity `{entity.entity}`: its history is to be made anew before it can go on; nothing was written",
        where=str(entity.origin),
        saw=str(change),
        hint=f"`headwater run` does so, and so does `headwater rebuild --entity {entity.entity}`",
    )


def _outdated(entity: Entity) -> DeclarationError:
    return DeclarationError(
        f"entity `{entity.entity}`: its history cannot go on, and is to be made anew from all that landed",
        where=f"silver.{entity.entity}_log",
        saw=OUTDATED,
        hint=f"`headwater run` does so, and so does `headwater rebuild --entity {entity.entity}`",
    )


def _make(warehouse: Warehouse, entity: Entity) -> None:
    warehouse.ensure(versions_table(entity))
    warehouse.ensure(log_table(entity))
    select = f"SELECT * FROM {warehouse.ref('silver', entity.entity)} WHERE is_current"
    warehouse.ensure_view("silver", f"{entity.entity}_current", select)
    if warehouse.capabilities.as_of_functions:
        warehouse.ensure_asof("silver", entity.entity)


def _renamed(warehouse: Warehouse, entity: Entity, stored: Noted, change: Redeclared) -> Noted:
    """Let stored columns have other names: no row comes or goes, and no event becomes another."""
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
    known = "known"
    for before, name in names.items():
        known = f"REPLACE({known}, {literal(f',{before},')}, {literal(f',{name},')})"
    warehouse.update("silver", f"{entity.entity}_log", {"known": known}, "known IS NOT NULL")
    called = {
        name: column.model_copy(update={"renamed_from": column.renamed_from or before})
        for before, (name, column) in zip(stored.columns, renamed.items(), strict=True)
        if before != name
    }
    return replace(stored, columns={**renamed, **called})


def _check_names(entity: Entity) -> None:
    taken = sorted({*LOG_COLUMNS, *RESERVED} & set(entity.columns))
    if taken:
        raise DeclarationError(
            f"entity `{entity.entity}` may not have a column `{taken[0]}`: silver has one of its own",
            where=str(entity.origin),
            saw=f"columns: {', '.join(entity.columns)}",
            hint="give the column another name",
        )


def _forget_nothing(warehouse: Warehouse, entity: Entity, stored: Noted, change: Redeclared) -> None:
    """Events that knew every column then do not know the new ones: let them say which they know."""
    if set(change.added) <= set(stored.retired):
        return
    said = {"known": literal(known_list(stored.columns))}
    warehouse.update("silver", f"{entity.entity}_log", said, "known IS NULL AND operation = 'U'")
