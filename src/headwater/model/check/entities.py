"""Checks declarations against each other: each name that a declaration uses must be declared.

`RULES` is the list of checks. Each takes a `ValidationContext` and yields errors. No check reads a file.
"""

from __future__ import annotations

from collections.abc import Iterator

from headwater.errors import DeclarationError, DeclarationErrors
from headwater.model.check.context import ValidationContext, check_expression
from headwater.model.check.star import check_dimensions, check_facts, check_reserved_names
from headwater.model.entity import LOGGED, RESERVED, Entity, Source
from headwater.model.names_in_scope import map_bronze_columns
from headwater.names import did_you_mean


def check_declarations(context: ValidationContext) -> None:
    """Raise DeclarationErrors with all errors, if there are any."""
    errors = list(find_errors(context))
    if errors:
        raise DeclarationErrors(errors)


def find_errors(context: ValidationContext) -> Iterator[DeclarationError]:
    """All errors between declarations."""
    for rule in RULES:
        yield from rule(context)


def check_reserved_columns(context: ValidationContext) -> Iterator[DeclarationError]:
    """No entity declares a column that silver adds itself."""
    for entity in context.declarations.entities.values():
        for name in sorted(set(entity.columns) & {*RESERVED, *LOGGED}):
            where = entity.origin.find_location("columns", name)
            yield DeclarationError(
                f"`{name}` is a reserved column of silver.", where=where, details=name, hint="choose another name"
            )


def check_sources(context: ValidationContext) -> Iterator[DeclarationError]:
    """Every source of an entity is a resource of a known connector."""
    for entity in context.declarations.entities.values():
        for source in entity.sources:
            if source not in context.fields:
                where = entity.origin.find_location("sources", source)
                message = f"{entity.entity} maps `{source}`, which no connector has."
                yield DeclarationError(message, where=where, details=source, hint=did_you_mean(source, context.fields))


def check_maps(context: ValidationContext) -> Iterator[DeclarationError]:
    """Every map sets declared columns, including the key, from valid expressions."""
    for entity in context.declarations.entities.values():
        for name, source in entity.sources.items():
            if name in context.fields:
                yield from _check_map(context, entity, name, source)


def _check_map(context: ValidationContext, entity: Entity, name: str, source: Source) -> Iterator[DeclarationError]:
    scope = context.build_scope(map_bronze_columns(context.fields[name]))
    for column, text in source.map.items():
        where = entity.origin.find_location("sources", name, "map", column)
        if column not in entity.columns:
            message = f"{entity.entity} has no column `{column}`."
            yield DeclarationError(message, where=where, details=column, hint=did_you_mean(column, entity.columns))
        yield from check_expression(text, scope, where)
    for key in entity.key:
        if key not in source.map:
            where = entity.origin.find_location("sources", name, "map")
            yield DeclarationError(
                f"`{name}` does not map the key `{key}`.", where=where, hint=f"map `{key}:` to a field"
            )
    for part in ("changed_at", "where", "deleted"):
        if text := getattr(source, part):
            yield from check_expression(text, scope, entity.origin.find_location("sources", name, part))


RULES = (check_reserved_columns, check_reserved_names, check_sources, check_maps, check_dimensions, check_facts)
"""The checks, in this order."""
