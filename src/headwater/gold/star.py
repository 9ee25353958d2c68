"""The star as a whole: what is declared, which tables need which, and the order to build them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from headwater.errors import DeclarationError
from headwater.model.dimension import Dimension
from headwater.model.entity import Entity
from headwater.model.expression import Scope
from headwater.model.fact import Fact
from headwater.model.project import Declarations
from headwater.names import did_you_mean
from headwater.warehouse.base import SchemaName

_Noun = TypeVar("_Noun")

Ref = Callable[[SchemaName, str], str]
"""The quoted name of a stored table, as `Warehouse.ref` gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Star:
    """What the tables of gold are made from."""

    declarations: Declarations
    """Entities, dimensions, facts and rules."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What `setting('name')` gives in expressions."""

    def build_scope(self, columns: Mapping[str, str]) -> Scope:
        """A scope of these columns, with the project's settings and rules."""
        return Scope(columns=columns, settings=self.settings, rules=self.declarations.rules)

    def get_entity(self, name: str, *, where: str) -> Entity:
        """The entity of that name; DeclarationError when there is none."""
        return _find(self.declarations.entities, name, "entity", where)

    def get_dimension(self, name: str, *, where: str) -> Dimension:
        """The dimension of that name; DeclarationError when there is none."""
        return _find(self.declarations.dimensions, name, "dimension", where)

    def find_dimensions(self, fact: Fact) -> dict[str, Dimension]:
        """The dimension that each lookup of a fact reaches for."""
        where = str(fact.origin)
        return {name: self.get_dimension(lookup.dimension, where=where) for name, lookup in fact.lookups.items()}

    def find_references(self, dimension: str) -> tuple[tuple[Fact, str], ...]:
        """The facts, with their lookups, that point at members of a dimension."""
        return tuple(
            (fact, name)
            for fact in self.declarations.facts.values()
            for name, lookup in fact.lookups.items()
            if lookup.dimension == dimension
        )


def _find(declared: Mapping[str, _Noun], name: str, noun: str, where: str) -> _Noun:
    if name in declared:
        return declared[name]
    raise DeclarationError(
        f"There is no {noun} `{name}`.", where=where, details=name, hint=did_you_mean(name, declared)
    )
