"""Declarations that changed over a history that is there: what differs, who decided what becomes of it, and who has not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from headwater.errors import DeclarationError, DeclarationErrors
from headwater.model.entity import Column, Entity
from headwater.silver.schema.snapshot import Noted, is_filled, is_outdated, notes_of, stored_as
from headwater.silver.schema.tables import SHAPES
from headwater.warehouse.base import Warehouse

OUTDATED = "its change log has the form of an older Headwater, which does not hold when each event was observed"
"""Why a history that an older Headwater made cannot go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeclared:
    """How a declaration differs from the one that a history was made by."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Column -> the stored column that it is another name of. Nothing else changes, so nobody need decide anything."""
    otherwise: tuple[str, ...] = ()
    """What no history can go on with, in words."""

    @property
    def anything(self) -> bool:
        """Whether there is any difference."""
        return self.matters or bool(self.renamed)

    @property
    def matters(self) -> bool:
        """Whether somebody has to decide what becomes of the history."""
        return bool(self.added or self.removed or self.otherwise)

    def __str__(self) -> str:
        told = [f"`{name}` is new" for name in self.added]
        told += [f"`{name}` is declared no more" for name in self.removed]
        told += [f"`{name}` was `{before}`" for name, before in self.renamed.items()]
        return "; ".join([*told, *self.otherwise])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What becomes of the history of an entity whose declaration changed."""

    anew: bool
    """Whether it is made anew from all that landed; it goes on from now otherwise."""
    why: str


def decide(warehouse: Warehouse, entities: Iterable[Entity]) -> dict[str, Decided]:
    """What is decided for each entity whose declaration changed, and for each whose history is not all there yet.

    DeclarationError, and nothing is written, when somebody has to decide and has not.
    """
    notes = notes_of(warehouse) if warehouse.describe("meta", SHAPES.name) else {}
    found: dict[str, Decided] = {}
    errors: list[DeclarationError] = []
    for entity in entities:
        known = notes.get(entity.entity)
        if is_outdated(warehouse, entity, known):
            found[entity.entity] = Decided(anew=True, why=OUTDATED)
            continue
        if known is None:
            continue
        if known.anew:
            found[entity.entity] = Decided(anew=True, why="a rebuild was begun")
        elif (stored := stored_as(warehouse, entity, notes)) is not None:
            change = redeclared(entity, stored)
            if not change.anything:
                continue
            filled = is_filled(warehouse, entity)
            if filled and (error := undecided(entity, change)):
                errors.append(error)
            found[entity.entity] = _decided(entity, change, filled=filled)
    if errors:
        raise errors[0] if len(errors) == 1 else DeclarationErrors(errors)
    return found


def _decided(entity: Entity, change: Redeclared, *, filled: bool) -> Decided:
    if not filled or not change.matters:
        return Decided(anew=False, why=f"{change}, and nothing is lost by it")
    choice = entity.on_schema_change
    return Decided(anew=choice == "rebuild", why=f"{change} (on_schema_change: {choice})")


def redeclared(entity: Entity, stored: Noted) -> Redeclared:
    """How the declaration of `entity` differs from what its tables were made by."""
    renamed = _renamed(entity, stored)
    gone = {*stored.retired, *renamed.values()}
    return Redeclared(
        added=tuple(
            name
            for name in entity.columns
            if name not in renamed and (name not in stored.columns or name in stored.retired)
        ),
        removed=tuple(name for name in stored.columns if name not in entity.columns and name not in gone),
        renamed=renamed,
        otherwise=tuple(_otherwise(entity, stored, renamed)),
    )


def going_on(entity: Entity, stored: Noted) -> Entity:
    """`entity` as its history goes on: with the columns that are declared no more, and with what events call each."""
    renamed = _renamed(entity, stored)
    columns: dict[str, Column] = {}
    for name, column in entity.columns.items():
        before = stored.columns.get(renamed.get(name, name))
        columns[name] = column if before is None else _known_as(name, column, before, renamed.get(name, name))
    kept = {name: column for name, column in stored.columns.items() if name not in {*columns, *renamed.values()}}
    return entity.model_copy(update={"columns": {**columns, **kept}})


def as_stored(warehouse: Warehouse, entity: Entity) -> Entity:
    """`entity` with the columns that its tables have now, which are there."""
    stored = stored_as(warehouse, entity, notes_of(warehouse) if warehouse.describe("meta", SHAPES.name) else {})
    if stored is None:
        return entity
    declared = {name: stored.columns[name] for name in entity.columns if name in stored.columns}
    return entity.model_copy(update={"columns": {**declared, **stored.columns}})


def undecided(entity: Entity, change: Redeclared) -> DeclarationError | None:
    """The refusal, when what becomes of the history is not said, or cannot be; None when all is well."""
    choice, name = entity.on_schema_change, entity.entity
    if not change.matters or choice == "rebuild" or (choice == "from_now" and not change.otherwise):
        return None
    why = "its history cannot go on with that" if change.otherwise else "what becomes of its history is not said"
    return DeclarationError(
        f"entity `{name}` is declared otherwise than before, and {why}; nothing was written",
        where=str(entity.origin),
        saw=str(change),
        hint="; ".join(_ways(name, change)),
    )


def _ways(name: str, change: Redeclared) -> Iterator[str]:
    if not change.otherwise:
        yield "`on_schema_change: from_now`: what is known stays as it is, and the change counts from now on"
    yield "`on_schema_change: rebuild`: the next run makes the history anew from all that landed"
    yield f"`headwater rebuild --entity {name}`: the same, this once"
    if change.added and change.removed:
        new, old = change.added[0], change.removed[0]
        yield f"`renamed_from: {old}` under `{new}`, if that is but another name"
    yield "or put the declaration back"


def _renamed(entity: Entity, stored: Noted) -> dict[str, str]:
    """Declared columns that are stored under another name: the one they were renamed from, or what came of that."""
    by_call = {column.renamed_from or name: name for name, column in stored.columns.items()}
    found: dict[str, str] = {}
    for name, column in entity.columns.items():
        former = column.renamed_from
        if former is None or name in stored.columns:
            continue
        before = former if former in stored.columns else by_call.get(former)
        if before is not None and before not in entity.columns:
            found[name] = before
    return found


def _known_as(name: str, column: Column, before: Column, stored_name: str) -> Column:
    called = before.renamed_from or stored_name
    return column.model_copy(update={"renamed_from": called if called != name else None})


def _otherwise(entity: Entity, stored: Noted, renamed: Mapping[str, str]) -> Iterator[str]:
    names = {before: name for name, before in renamed.items()}
    if tuple(names.get(name, name) for name in stored.key) != entity.key:
        yield f"its key was ({', '.join(stored.key)})"
    for before, column in stored.columns.items():
        name = names.get(before, before)
        if name in entity.columns and entity.columns[name].history != column.history:
            yield f"`history` of `{name}` was `{column.history}`"
    calls: dict[str, str] = {}
    for name, called in going_on(entity, stored).event_names.items():
        if called in calls:
            yield f"`{name}` and `{calls[called]}` are both what events call `{called}`"
        calls.setdefault(called, name)
    for name, column in entity.columns.items():
        if column.renamed_from in stored.columns and name in stored.columns:
            yield f"`{name}` and `{column.renamed_from}` are both there already"
