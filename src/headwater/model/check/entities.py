"""Checks declarations against each other: each name that a declaration uses must be declared.

`RULES` is the list of checks. Each takes a `ValidationContext` and yields errors. No check reads a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from headwater.errors import DeclarationError, DeclarationErrors
from headwater.model.check.context import ValidationContext, check_expression
from headwater.model.check.star import check_dimensions, check_facts, check_reserved_names
from headwater.model.check.twin_columns import find_twin_columns
from headwater.model.entity import LOGGED, RESERVED, Entity, Source
from headwater.model.field import Field
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
    scope, dtypes = context.build_scope(map_bronze_columns(context.fields[name])), _map_dtypes(context.fields[name])
    for column, text in source.map.items():
        where = entity.origin.find_location("sources", name, "map", column)
        if column not in entity.columns:
            message = f"{entity.entity} has no column `{column}`."
            yield DeclarationError(message, where=where, details=column, hint=did_you_mean(column, entity.columns))
        to = entity.columns[column].type if column in entity.columns else ""
        yield from check_expression(text, scope, where, dtypes=dtypes, to=to)
    for key in entity.key:
        if key not in source.map:
            where = entity.origin.find_location("sources", name, "map")
            yield DeclarationError(
                f"`{name}` does not map the key `{key}`.", where=where, hint=f"map `{key}:` to a field"
            )
    for part in ("changed_at", "where", "deleted"):
        if text := getattr(source, part):
            where, to = entity.origin.find_location("sources", name, part), "timestamp" if part == "changed_at" else ""
            yield from check_expression(text, scope, where, dtypes=dtypes, to=to)


def _map_dtypes(fields: Iterable[Field]) -> dict[str, str]:
    """The types of the fields of a resource, by dotted path and flattened name. Lists have none."""
    return {name: item.dtype for item in fields if not item.many for name in (item.name, item.dotted)}


def check_twin_fields(context: ValidationContext) -> Iterator[DeclarationError]:
    """No two fields of a contract have the same column."""
    used = {name for entity in context.declarations.entities.values() for name in entity.sources}
    for name in sorted(used & context.fields.keys()):
        for first, second in find_twin_columns(item.dotted for item in context.fields[name]):
            yield DeclarationError(
                f"The contract of `{name}` has two fields with the same column.",
                where=f"contract of {name}",
                details=f"{first}, {second}",
                hint="names of columns ignore case, and `.` becomes `_`: remove one of the fields from the contract",
            )


RULES = (
    check_reserved_columns,
    check_reserved_names,
    check_sources,
    check_twin_fields,
    check_maps,
    check_dimensions,
    check_facts,
)
"""The checks, in this order."""
