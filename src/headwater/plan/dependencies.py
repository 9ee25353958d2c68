"""The dependencies between sources, entities, dimensions, facts and publications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from headwater.model.connector import Connector
from headwater.model.project import Declarations, Publication
from headwater.model.resource import Resource
from headwater.model.tables import list_dimensions, list_source_entities


@dataclass(frozen=True, slots=True, kw_only=True)
class FactInputs:
    """The inputs of a fact."""

    entities: frozenset[str]
    dimensions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Entities, dimensions and facts with their inputs, in the order of their declaration."""

    entities: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Entity -> its source resources, as `connector.resource`."""
    dimensions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Dimension -> its source entities; none for a date dimension."""
    facts: Mapping[str, FactInputs] = field(default_factory=dict)
    """Fact -> its source entities, and the dimensions that it looks up."""
    publish: tuple[str, ...] = ()
    """Publications that are written when gold has changed."""
    publish_silver: tuple[str, ...] = ()
    """Publications that are written when silver has changed."""


def build_dependencies(declarations: Declarations, publications: Iterable[Publication] = ()) -> Dependencies:
    """Build the dependencies of declarations and publications."""
    publications = tuple(publications)
    return Dependencies(
        entities={name: frozenset(entity.sources) for name, entity in declarations.entities.items()},
        dimensions={name: list_source_entities(dimension) for name, dimension in declarations.dimensions.items()},
        facts={
            name: FactInputs(entities=list_source_entities(fact), dimensions=frozenset(list_dimensions(fact)))
            for name, fact in declarations.facts.items()
        },
        publish=tuple(publication.name for publication in publications if publication.layer == "gold"),
        publish_silver=tuple(publication.name for publication in publications if publication.layer == "silver"),
    )


def select_resources(
    connector: Connector, dependencies: Dependencies, *, named: tuple[str, ...] = ()
) -> tuple[Resource, ...]:
    """The resources that a connection reads, with the defaults of the connector, parents first.

    These are the resources that the connection names. If it names none, those that feed an entity and are not optional.
    Their parents are always included, because child records are read below parent records.
    """
    feeding = frozenset[str]().union(*dependencies.entities.values())
    chosen = [
        resource
        for resource in connector.resources
        if (resource.resource in named if named else _is_feeding_entity(connector, resource, feeding))
    ]
    selected: dict[str, Resource] = {}
    for resource in chosen:
        for ancestor in _list_ancestors(connector, resource):
            selected.setdefault(ancestor.resource, connector.with_defaults(ancestor))
    return tuple(selected.values())


def _is_feeding_entity(connector: Connector, resource: Resource, feeding: frozenset[str]) -> bool:
    return f"{connector.connector}.{resource.resource}" in feeding and not resource.optional


def _list_ancestors(connector: Connector, resource: Resource) -> list[Resource]:
    """The resource and its ancestors, the topmost first."""
    line, above = [resource], resource
    while above.parent is not None and (parent := connector.find_resource(above.parent.resource)) is not None:
        if parent in line:
            break
        line.insert(0, parent)
        above = parent
    return line
