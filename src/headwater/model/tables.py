"""The tables of gold: names, keys, inputs, and the order to build them in."""

from __future__ import annotations

from headwater.model.dimension import Dimension, EntityDimension, EnumDimension
from headwater.model.fact import Fact
from headwater.model.project import Declarations


def name_table(declared: Dimension | Fact) -> str:
    """The name of the table in gold."""
    return f"fact_{declared.fact}" if isinstance(declared, Fact) else f"dim_{declared.dimension}"


def name_key_column(dimension: Dimension) -> str:
    """The column of a dimension that holds its surrogate key."""
    return f"{dimension.dimension}_key"


def list_source_entities(declared: Dimension | Fact) -> frozenset[str]:
    """The entities from which a table is built, without the dimensions of a fact."""
    match declared:
        case Fact():
            return frozenset(part.entity for part in declared.sources)
        case EntityDimension():
            return frozenset({declared.entity, *(join.entity for join in declared.join)})
        case EnumDimension():
            return frozenset(values.entity for values in declared.values_of)
        case _:
            return frozenset()


def list_dimensions(fact: Fact) -> tuple[str, ...]:
    """The names of the dimensions that must be built before a fact is loaded."""
    return tuple(dict.fromkeys(lookup.dimension for lookup in fact.lookups.values()))


def list_in_build_order(declarations: Declarations) -> tuple[Dimension | Fact, ...]:
    """All tables of gold. Each follows the tables that it needs."""
    return (*declarations.dimensions.values(), *declarations.facts.values())
