"""Makes the tables of an entity ready: new ones, further columns, wider types; refuses what only a rebuild can do."""

from __future__ import annotations

import json

from headwater.errors import DeclarationError
from headwater.model.entity import RESERVED, Entity
from headwater.names import literal
from headwater.silver.tables import LOG_COLUMNS, META, SHAPES, log_table, versions_table
from headwater.temporal.text import known_list
from headwater.warehouse.base import Warehouse


def ready(warehouse: Warehouse, entity: Entity) -> tuple[str, ...]:
    """Bring the tables and the view of `entity` in line with its declaration, in one transaction.

    The columns that are new to a history that is there already: they begin now, and only a rebuild can tell their past.
    DeclarationError (naming `headwater rebuild`) when a stored column is no longer declared, or when the key or the
    history of a column is declared otherwise: then stored history would no longer be what the events say.
    """
    _check_names(entity)
    versions, log = versions_table(entity), log_table(entity)
    if warehouse.describe("meta", SHAPES.name) is None:
        ready_meta(warehouse)
    with warehouse.transaction():
        if _is_ready(warehouse, entity):
            return ()
        stored = warehouse.describe("silver", entity.entity)
        if stored is not None:
            before = tuple(column.name for column in stored if column.name not in RESERVED)
            _check_kept(entity, before)
            _check_shape(warehouse, entity)
            _forget_nothing(warehouse, entity, before)
        warehouse.ensure(versions)
        warehouse.ensure(log)
        select = f"SELECT * FROM {warehouse.ref('silver', entity.entity)} WHERE is_current"
        warehouse.ensure_view("silver", f"{entity.entity}_current", select)
        if warehouse.capabilities.asof:
            warehouse.ensure_asof("silver", entity.entity)
        _note_shape(warehouse, entity)
    known = {column.name for column in stored or ()}
    return tuple(name for name in entity.columns if stored is not None and name not in known)


def ready_meta(warehouse: Warehouse) -> None:
    """Make the schemas, and the tables by which silver and gold tell each other what changed."""
    with warehouse.transaction():
        warehouse.prepare()
        for table in META:
            warehouse.ensure(table)


def drop(warehouse: Warehouse, entity: Entity) -> None:
    """Drop the tables of `entity` and what is remembered of them, so that a rebuild can make them anew."""
    with warehouse.transaction():
        warehouse.drop("silver", f"{entity.entity}_current")
        warehouse.drop("silver", entity.entity)
        warehouse.drop("silver", f"{entity.entity}_log")
        for name in ("tied", "shape", "change", "progress"):
            if warehouse.describe("meta", name) is not None:
                warehouse.delete("meta", name, f"entity = {literal(entity.entity)}")


def _is_ready(warehouse: Warehouse, entity: Entity) -> bool:
    """Whether the tables were made ready for exactly this declaration: the common case, and a cheap one."""
    stored = _stored_shape(warehouse, entity)
    return stored == _shape(entity) and warehouse.describe("silver", entity.entity) is not None


def _shape(entity: Entity) -> str:
    columns = {name: [column.type, column.history] for name, column in entity.columns.items()}
    return json.dumps({"key": list(entity.key), "columns": columns})


def _stored_shape(warehouse: Warehouse, entity: Entity) -> str | None:
    ref = warehouse.ref("meta", SHAPES.name)
    found = warehouse.rows(f"SELECT shape FROM {ref} WHERE entity = {literal(entity.entity)}")
    return str(found[0][0]) if found else None


def _note_shape(warehouse: Warehouse, entity: Entity) -> None:
    name, shape = literal(entity.entity), literal(_shape(entity))
    warehouse.overwrite("meta", SHAPES.name, f"entity = {name}", SHAPES.names, f"SELECT {name}, {shape}")


def _check_names(entity: Entity) -> None:
    taken = sorted({*LOG_COLUMNS, *RESERVED} & set(entity.columns))
    if taken:
        raise DeclarationError(
            f"entity `{entity.entity}` may not have a column `{taken[0]}`: silver has one of its own",
            where=str(entity.origin),
            saw=f"columns: {', '.join(entity.columns)}",
            hint="give the column another name",
        )


def _check_kept(entity: Entity, before: tuple[str, ...]) -> None:
    lost = [name for name in before if name not in entity.columns]
    if lost:
        raise _rebuild_needed(
            entity,
            f"column `{lost[0]}` is no longer declared",
            f"stored: {', '.join(before)}",
            or_else="leave it under `columns:` and take it out of `map:`, and it keeps its last values from now on",
        )


def _check_shape(warehouse: Warehouse, entity: Entity) -> None:
    stored = _stored_shape(warehouse, entity)
    if stored is None:
        return
    was = json.loads(stored)
    if was["key"] != list(entity.key):
        raise _rebuild_needed(entity, "its key is declared otherwise", f"stored key: {', '.join(was['key'])}")
    for name, (_, history) in was["columns"].items():
        if name in entity.columns and entity.columns[name].history != history:
            raise _rebuild_needed(entity, f"the history of `{name}` is declared otherwise", f"stored as {history}")


def _rebuild_needed(
    entity: Entity, why: str, saw: str, *, or_else: str = "put the declaration back"
) -> DeclarationError:
    return DeclarationError(
        f"entity `{entity.entity}`: {why}, and its history was made with it",
        where=str(entity.origin),
        saw=saw,
        hint=f"`headwater rebuild` makes the history anew from raw; or {or_else}",
    )


def _forget_nothing(warehouse: Warehouse, entity: Entity, before: tuple[str, ...]) -> None:
    """Events that knew every column then do not know the new ones: let them say which they know."""
    if set(before) == set(entity.columns):
        return
    said = {"known": literal(known_list(before))}
    warehouse.update("silver", f"{entity.entity}_log", said, "known IS NULL AND operation = 'U'")
