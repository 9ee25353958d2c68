"""`explain`: the declaration of a table, the lineage of its columns, and its SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headwater.errors import DeclarationError
from headwater.gold.explain import explain as gold_sql
from headwater.gold.star import Star
from headwater.model.dimension import Attribute, DateDimension, EntityDimension, EnumDimension
from headwater.model.entity import Entity
from headwater.model.expression import find_names
from headwater.model.fact import Fact
from headwater.model.project import Declarations
from headwater.names import did_you_mean
from headwater.run.results import Explanation
from headwater.run.workspace import Workspace
from headwater.silver.explain import explain as silver_sql
from headwater.warehouse.base import SchemaName

LineageRow = tuple[str, str, str]
"""A column, its expression, and the fields that it uses."""


def explain(workspace: Workspace, name: str) -> Explanation:
    """Explain an entity, dimension or fact, e.g. `time_entry`, `dim_company` or `gold.fact_time_entry`."""
    kind, declared = _find_declaration(workspace.declarations, name)
    where = str(declared.origin)
    if isinstance(declared, Entity):
        sql, lineage = silver_sql(declared), _trace_entity(declared, where)
    else:
        star = Star(declarations=workspace.declarations, settings=workspace.project.settings)
        sql, lineage = (gold_sql(star, declared, _qualify),), _trace_table(declared, where)
    return Explanation(name=name, kind=kind, declared=where, lineage=tuple(lineage), sql=sql)


def _qualify(layer: SchemaName, name: str) -> str:
    return f"{layer}.{name}"


def _find_declaration(declared: Declarations, name: str) -> tuple[Any, Any]:
    bare = name.removeprefix("silver.").removeprefix("gold.")
    declarations: dict[str, tuple[str, Any]] = {}
    for kind, prefix, collection in (
        ("fact", "fact_", declared.facts),
        ("dimension", "dim_", declared.dimensions),
        ("entity", "", declared.entities),
    ):
        declarations |= {
            f"{prefix}{key}": (kind, declaration) for key, declaration in dict[str, Any](collection).items()
        }
    for candidate in (bare, f"dim_{bare}", f"fact_{bare}"):
        if candidate in declarations:
            return declarations[candidate]
    raise DeclarationError(
        f"There is no declaration `{name}`.", where="explain", details=name, hint=did_you_mean(bare, declarations)
    )


def _trace_entity(entity: Entity, where: str) -> Iterator[LineageRow]:
    for source, declared in entity.sources.items():
        for column, text in declared.map.items():
            yield column, text, ", ".join(f"{source}:{name}" for name in find_names(text, where=where))


def _trace_table(declared: EntityDimension | EnumDimension | DateDimension | Fact, where: str) -> Iterator[LineageRow]:
    match declared:
        case Fact():
            for name, lookup in declared.lookups.items():
                yield (
                    f"{name}_key",
                    f"{lookup.strategy} {lookup.dimension}",
                    _list_fields(" || ".join(lookup.on), where),
                )
            yield from _trace_expressions({**declared.degenerate, **declared.measures}, where)
        case EntityDimension():
            yield from _trace_attributes(declared.attributes, declared.entity, where)
            for join in declared.join:
                yield from _trace_attributes(join.attributes, join.entity, where)
        case EnumDimension():
            yield (
                "value",
                "distinct values",
                ", ".join(f"{values.entity}.{values.column}" for values in declared.values_of),
            )
            yield from _trace_expressions(declared.attributes, where)
        case DateDimension():
            yield "date_key", "yyyymmdd", f"{declared.first} to {declared.last}"


def _trace_attributes(attributes: Mapping[str, Attribute], entity: str, where: str) -> Iterator[LineageRow]:
    for name, attribute in attributes.items():
        text = attribute.value or name
        yield name, f"{attribute.history} {text}", f"{entity}: {_list_fields(text, where)}"


def _trace_expressions(expressions: Mapping[str, str], where: str) -> Iterator[LineageRow]:
    for name, text in expressions.items():
        yield name, text, _list_fields(text, where)


def _list_fields(text: str, where: str) -> str:
    return ", ".join(find_names(text, where=where))
