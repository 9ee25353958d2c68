"""Declarations that changed over a history that is there: what differs, who decided what becomes of it, and who has not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from headwater.errors import DeclarationError, DeclarationErrors
from headwater.model.entity import Column, Entity
from headwater.silver.entity_tables import EntityTables
from headwater.silver.schema.snapshot import SchemaSnapshot, find_snapshots, is_outdated, read_stored_schema
from headwater.warehouse.base import Warehouse

OUTDATED = "an older version of Headwater wrote its change log, without the time when each event was observed"
"""Why a history that an older Headwater made cannot go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDiff:
    """The difference between an entity's declaration and its stored tables."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Column -> the stored column that it is another name of. Nothing else changes, so nobody need decide anything."""
    incompatible: tuple[str, ...] = ()
    """What no history can go on with, in words."""

    @property
    def has_changes(self) -> bool:
        """Whether there is any difference."""
        return self.needs_decision or bool(self.renamed)

    @property
    def needs_decision(self) -> bool:
        """Whether somebody has to decide what becomes of the history."""
        return bool(self.added or self.removed or self.incompatible)

    def __str__(self) -> str:
        texts = [f"`{name}` is new" for name in self.added]
        texts += [f"`{name}` is no longer declared" for name in self.removed]
        texts += [f"`{name}` was `{before}`" for name, before in self.renamed.items()]
        return "; ".join([*texts, *self.incompatible])


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDecision:
    """Whether an entity whose declaration changed is rebuilt or continued."""

    rebuild: bool
    """Whether it is made anew from all that landed; it goes on from now otherwise."""
    why: str


def decide_schemas(warehouse: Warehouse, entities: Iterable[Entity]) -> dict[str, SchemaDecision]:
    """What is decided for each entity whose declaration changed, and for each whose history is not all there yet.

    DeclarationError, and nothing is written, when somebody has to decide and has not.
    """
    notes, stored_tables = find_snapshots(warehouse), set(warehouse.tables("silver"))
    decisions: dict[str, SchemaDecision] = {}
    errors: list[DeclarationError] = []
    for entity in entities:
        tables, known = EntityTables(warehouse, entity), notes.get(entity.entity)
        if is_outdated(tables, known):
            decisions[entity.entity] = SchemaDecision(rebuild=True, why=OUTDATED)
            continue
        if known is None:
            continue
        lost = {entity.entity, f"{entity.entity}_log"} - stored_tables
        if known.rebuilding:
            # Before the next line, because a rebuild drops the tables first.
            decisions[entity.entity] = SchemaDecision(rebuild=True, why="a rebuild was started")
        elif lost:
            # Its batches count as consumed, so an empty table would stay empty.
            names = ", ".join(f"silver.{name}" for name in sorted(lost))
            decisions[entity.entity] = SchemaDecision(rebuild=True, why=f"{names} is missing")
        elif (stored := read_stored_schema(tables, notes)) is not None:
            change = diff_schema(entity, stored)
            if not change.has_changes:
                continue
            filled = tables.has_events()
            if filled and (error := check_decision(entity, change)):
                errors.append(error)
            decisions[entity.entity] = _decide(entity, change, filled=filled)
    if errors:
        raise errors[0] if len(errors) == 1 else DeclarationErrors(errors)
    return decisions


def _decide(entity: Entity, change: SchemaDiff, *, filled: bool) -> SchemaDecision:
    if not filled or not change.needs_decision:
        return SchemaDecision(rebuild=False, why=f"{change}, and no data is lost")
    choice = entity.on_schema_change
    return SchemaDecision(rebuild=choice == "rebuild", why=f"{change} (on_schema_change: {choice})")


def diff_schema(entity: Entity, stored: SchemaSnapshot) -> SchemaDiff:
    """How the declaration of `entity` differs from what its tables were made by."""
    renamed = _find_renamed(entity, stored)
    gone = {*stored.retired, *renamed.values()}
    return SchemaDiff(
        added=tuple(
            name
            for name in entity.columns
            if name not in renamed and (name not in stored.columns or name in stored.retired)
        ),
        removed=tuple(name for name in stored.columns if name not in entity.columns and name not in gone),
        renamed=renamed,
        incompatible=tuple(_find_incompatible(entity, stored, renamed)),
    )


def with_stored_columns(entity: Entity, stored: SchemaSnapshot) -> Entity:
    """`entity` as its history goes on: with the columns that are declared no more, and with what events call each."""
    renamed = _find_renamed(entity, stored)
    columns: dict[str, Column] = {}
    for name, column in entity.columns.items():
        before = stored.columns.get(renamed.get(name, name))
        columns[name] = column if before is None else _with_event_name(name, column, before, renamed.get(name, name))
    kept = {name: column for name, column in stored.columns.items() if name not in {*columns, *renamed.values()}}
    return entity.model_copy(update={"columns": {**columns, **kept}})


def load_stored_entity(tables: EntityTables) -> Entity:
    """The entity with the columns that its tables have now, which are there."""
    entity, stored = tables.entity, read_stored_schema(tables, find_snapshots(tables.warehouse))
    if stored is None:
        return entity
    declared = {name: stored.columns[name] for name in entity.columns if name in stored.columns}
    return entity.model_copy(update={"columns": {**declared, **stored.columns}})


def check_decision(entity: Entity, change: SchemaDiff) -> DeclarationError | None:
    """The refusal, when what becomes of the history is not said, or cannot be; None when all is well."""
    choice, name = entity.on_schema_change, entity.entity
    if not change.needs_decision or choice == "rebuild" or (choice == "from_now" and not change.incompatible):
        return None
    why = "its history cannot continue with the change" if change.incompatible else "`on_schema_change` is not set"
    return DeclarationError(
        f"entity `{name}` has a changed declaration, and {why}; nothing was written",
        where=str(entity.origin),
        details=str(change),
        hint="; ".join(_list_decisions(name, change)),
    )


def _list_decisions(name: str, change: SchemaDiff) -> Iterator[str]:
    if not change.incompatible:
        yield "`on_schema_change: from_now`: existing history stays, and the change applies from now on"
    yield "`on_schema_change: rebuild`: the next run rebuilds the history from all landed batches"
    yield f"`headwater rebuild --entity {name}`: the same, once"
    if change.added and change.removed:
        new, old = change.added[0], change.removed[0]
        yield f"`renamed_from: {old}` under `{new}`, if you renamed the column"
    yield "or restore the declaration"


def _find_renamed(entity: Entity, stored: SchemaSnapshot) -> dict[str, str]:
    """Declared columns that are stored under another name: the one they were renamed from, or what came of that."""
    by_call = {column.renamed_from or name: name for name, column in stored.columns.items()}
    renamed: dict[str, str] = {}
    for name, column in entity.columns.items():
        former = column.renamed_from
        if former is None or name in stored.columns:
            continue
        before = former if former in stored.columns else by_call.get(former)
        if before is not None and before not in entity.columns:
            renamed[name] = before
    return renamed


def _with_event_name(name: str, column: Column, before: Column, stored_name: str) -> Column:
    called = before.renamed_from or stored_name
    return column.model_copy(update={"renamed_from": called if called != name else None})


def _find_incompatible(entity: Entity, stored: SchemaSnapshot, renamed: Mapping[str, str]) -> Iterator[str]:
    names = {before: name for name, before in renamed.items()}
    if tuple(names.get(name, name) for name in stored.key) != entity.key:
        yield f"its key was ({', '.join(stored.key)})"
    for before, column in stored.columns.items():
        name = names.get(before, before)
        if name in entity.columns and entity.columns[name].history != column.history:
            yield f"`history` of `{name}` was `{column.history}`"
    calls: dict[str, str] = {}
    for name, called in with_stored_columns(entity, stored).event_names.items():
        if called in calls:
            yield f"`{name}` and `{calls[called]}` have the same name in events: `{called}`"
        calls.setdefault(called, name)
    for name, column in entity.columns.items():
        if column.renamed_from in stored.columns and name in stored.columns:
            yield f"`{name}` and `{column.renamed_from}` both exist already"
