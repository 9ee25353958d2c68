"""Checks dimensions and facts against the entities, columns and dimensions that they use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set

from headwater.declared import Origin
from headwater.errors import DeclarationError
from headwater.model.check.context import ValidationContext, build_unknown_name_error, check_column, check_expression
from headwater.model.dimension import (
    LOAD_COLUMNS,
    MEMBER_COLUMNS,
    Attribute,
    DateDimension,
    Dimension,
    EntityDimension,
    EnumDimension,
)
from headwater.model.entity import Entity
from headwater.model.expression import find_names
from headwater.model.fact import Fact, Part
from headwater.model.names_in_scope import map_entity_columns, map_entity_dtypes, map_lookup_columns
from headwater.names import did_you_mean

_RESERVED = frozenset({*MEMBER_COLUMNS, *LOAD_COLUMNS})
"""Columns that gold adds to its tables."""


def check_reserved_names(context: ValidationContext) -> Iterator[DeclarationError]:
    """No attribute, degenerate column or measure has the name of a column that gold adds."""
    for dimension in context.declarations.dimensions.values():
        joins = [join.attributes for join in dimension.join] if isinstance(dimension, EntityDimension) else []
        attributes = () if isinstance(dimension, DateDimension) else dimension.attributes
        names = [*attributes, *(name for section in joins for name in section)]
        yield from _check_free(names, f"{dimension.dimension}_key", dimension.origin.find_location("attributes"))
    for fact in context.declarations.facts.values():
        keys = [f"{lookup}_key" for lookup in fact.lookups]
        for name in keys:
            if name in (*fact.degenerate, *fact.measures):
                message, hint = f"`{name}` is already the key of a lookup.", "choose another name"
                yield DeclarationError(message, where=fact.origin.find_location("lookups"), details=name, hint=hint)
        yield from _check_free([*fact.degenerate, *fact.measures], "", fact.origin.find_location("degenerate"))


def _check_free(names: Iterable[str], key: str, where: str) -> Iterator[DeclarationError]:
    seen: set[str] = set()
    for name in names:
        if name in _RESERVED or name == key:
            yield DeclarationError(
                f"`{name}` is a reserved column of gold.", where=where, details=name, hint="choose another name"
            )
        if name in seen:
            yield DeclarationError(
                f"`{name}` is declared twice.", where=where, details=name, hint="choose another name"
            )
        seen.add(name)


def check_dimensions(context: ValidationContext) -> Iterator[DeclarationError]:
    """Every dimension uses a declared entity and its columns."""
    for dimension in context.declarations.dimensions.values():
        match dimension:
            case EntityDimension():
                yield from _check_entity_dimension(context, dimension)
            case EnumDimension():
                yield from _check_enum_dimension(context, dimension)
            case DateDimension():
                pass


def _check_entity_dimension(context: ValidationContext, dimension: EntityDimension) -> Iterator[DeclarationError]:
    entities, origin = context.declarations.entities, dimension.origin
    entity = entities.get(dimension.entity)
    if entity is None:
        yield build_unknown_name_error("entity", dimension.entity, entities, origin.find_location("entity"))
        return
    yield from _check_attributes(context, dimension.attributes, entity, origin, ("attributes",))
    for number, join in enumerate(dimension.join):
        other = entities.get(join.entity)
        if other is None:
            yield build_unknown_name_error(
                "entity", join.entity, entities, origin.find_location("join", str(number), "entity")
            )
            continue
        for mine, theirs in join.on.items():
            where = origin.find_location("join", str(number), "on")
            yield from check_column(entity, mine, where)
            yield from check_column(other, theirs, where)
        yield from _check_attributes(context, join.attributes, other, origin, ("join", str(number), "attributes"))


def _check_attributes(
    context: ValidationContext,
    attributes: Mapping[str, Attribute],
    entity: Entity,
    origin: Origin,
    path: tuple[str, ...],
) -> Iterator[DeclarationError]:
    scope = context.build_scope(map_entity_columns(entity))
    for name, attribute in attributes.items():
        where = origin.find_location(*path, name)
        yield from check_expression(attribute.value or name, scope, where, dtypes=map_entity_dtypes(entity))
        if attribute.inherit:
            yield from check_column(entity, attribute.inherit.parent, where)


def _check_enum_dimension(context: ValidationContext, dimension: EnumDimension) -> Iterator[DeclarationError]:
    entities, where = context.declarations.entities, dimension.origin.find_location("values_of")
    for values in dimension.values_of:
        if values.entity not in entities:
            yield build_unknown_name_error("entity", values.entity, entities, where)
        else:
            yield from check_column(entities[values.entity], values.column, where)
    scope = context.build_scope({"value": '"value"'})
    for name, text in dimension.attributes.items():
        yield from check_expression(text, scope, dimension.origin.find_location("attributes", name))


def check_facts(context: ValidationContext) -> Iterator[DeclarationError]:
    """Every fact uses declared entities and dimensions, and its expressions are valid."""
    for fact in context.declarations.facts.values():
        yield from _check_lookup_targets(context, fact)
        for number, part in enumerate(fact.sources):
            if part.entity not in context.declarations.entities:
                where = (
                    fact.origin.find_location("parts", str(number))
                    if fact.parts
                    else fact.origin.find_location("entity")
                )
                yield build_unknown_name_error("entity", part.entity, context.declarations.entities, where)
            else:
                yield from _check_part(context, fact, part, number)


def _check_lookup_targets(context: ValidationContext, fact: Fact) -> Iterator[DeclarationError]:
    dimensions = context.declarations.dimensions
    for name, lookup in fact.lookups.items():
        where = fact.origin.find_location("lookups", name)
        dimension = dimensions.get(lookup.dimension)
        if dimension is None:
            message = f"{fact.fact}.{name}_key looks up `{lookup.dimension}`, but there is no such dimension."
            details = f"dimensions declared: {', '.join(sorted(dimensions)) or 'none'}"
            yield DeclarationError(
                message, where=where, details=details, hint=did_you_mean(lookup.dimension, dimensions)
            )
        elif isinstance(dimension, EntityDimension) == (lookup.strategy == "direct"):
            hint = "use direct for date and enum dimensions, and current or point_in_time for entities"
            yield DeclarationError(
                f"`{name}` cannot use this strategy.", where=where, details=lookup.strategy, hint=hint
            )


def _check_part(context: ValidationContext, fact: Fact, part: Part, number: int) -> Iterator[DeclarationError]:
    entity = context.declarations.entities[part.entity]
    own = context.build_scope(map_entity_columns(entity))
    for name, text in part.columns.items():
        where = fact.origin.find_location("parts", str(number), "columns", name)
        yield from check_expression(text, own, where, dtypes=map_entity_dtypes(entity))
    names = map_part_names(fact, part, entity, context.declarations.dimensions)
    scope = context.build_scope(names)
    for path, text in _list_expressions(fact, part, number):
        dtypes = {} if part.columns else map_entity_dtypes(entity)
        yield from check_expression(text, scope, fact.origin.find_location(*path), dtypes=dtypes)
    yield from _check_cycles(fact, _map_base_names(part, entity, has_periods=fact.periods is not None).keys())
    for name in fact.grain:
        if name not in names:
            yield DeclarationError(
                f"The grain names `{name}`, which is not a column of the fact.",
                where=fact.origin.find_location("grain"),
                details=name,
                hint=did_you_mean(name, names),
            )


def map_part_names(fact: Fact, part: Part, entity: Entity, dimensions: Mapping[str, Dimension]) -> dict[str, str]:
    """The names that the expressions of a fact may use for one of its parts, in any order."""
    looked_up = {
        name: dimensions[lookup.dimension] for name, lookup in fact.lookups.items() if lookup.dimension in dimensions
    }
    derived = dict.fromkeys((*fact.degenerate, *fact.measures), "NULL")
    base = _map_base_names(part, entity, has_periods=fact.periods is not None)
    return {**derived, **base, **map_lookup_columns(looked_up)}


def _map_base_names(part: Part, entity: Entity, *, has_periods: bool) -> dict[str, str]:
    """The names that a part has without the declared names of its fact."""
    base = dict.fromkeys(part.columns, "NULL") if part.columns else map_entity_columns(entity)
    periods = dict.fromkeys(("period_start", "period_end"), "NULL") if has_periods else {}
    return {"entity_key": '"entity_key"', **base, **periods}


def _check_cycles(fact: Fact, base: Set[str]) -> Iterator[DeclarationError]:
    """No degenerate column or measure needs itself. A column of the part wins over a declared name that is spelled alike."""
    derived = {**fact.degenerate, **fact.measures}
    needed = {name: _find_derived(fact, text, derived.keys() - base) for name, text in derived.items()}
    for name in sorted(derived.keys() - base):
        if cycle := _find_cycle(name, needed):
            section = "measures" if name in fact.measures else "degenerate"
            yield DeclarationError(
                f"`{name}` refers to itself.",
                where=fact.origin.find_location(section, name),
                details=" -> ".join(cycle),
                hint="use only columns, and names that do not need this one",
            )
            return


def _find_derived(fact: Fact, text: str, derived: Set[str]) -> list[str]:
    try:
        return [name for name in find_names(text, where=str(fact.origin)) if name in derived]
    except DeclarationError:
        return []  # reported with its line by `check_expression`


def _find_cycle(name: str, needed: Mapping[str, list[str]]) -> tuple[str, ...]:
    """The path from `name` back to itself; empty if there is none."""
    paths: list[tuple[str, ...]] = [(name,)]
    visited: set[str] = set()
    while paths:
        path = paths.pop()
        for other in needed.get(path[-1], ()):
            if other == name:
                return (*path, name)
            if other not in visited:
                visited.add(other)
                paths.append((*path, other))
    return ()


def _list_expressions(fact: Fact, part: Part, number: int) -> Iterator[tuple[tuple[str, ...], str]]:
    for section in ("degenerate", "measures"):
        for name, text in getattr(fact, section).items():
            yield (section, name), text
    for name, lookup in fact.lookups.items():
        for text in (*lookup.on, lookup.at, lookup.not_applicable):
            if text:
                yield ("lookups", name), text
    if fact.where:
        yield ("where",), fact.where
    if part.where:
        yield ("parts", str(number), "where"), part.where
    if fact.periods:
        yield ("periods", "start"), fact.periods.start
        yield ("periods", "end"), fact.periods.end
