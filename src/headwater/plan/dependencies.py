"""What the declarations say, as far as a plan needs it: what is made of what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from headwater.model.connector import Connector
from headwater.model.project import Declarations, Publication
from headwater.model.resource import Resource
from headwater.model.tables import list_dimensions, list_source_entities


@dataclass(frozen=True, slots=True, kw_only=True)
class FactInputs:
    """What a fact is made of."""

    entities: frozenset[str]
    dimensions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Entities, dimensions and facts, each with what it is made of, in the order of their declaration."""

    entities: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Entity -> the resources that feed it, as `connector.resource`."""
    dimensions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Dimension -> the entities it is made of; none for days."""
    facts: Mapping[str, FactInputs] = field(default_factory=dict)
    """Fact -> the entities whose rows it counts, and the dimensions it looks up."""
    publish: tuple[str, ...] = ()
    """Places that are written to when gold has changed."""
    publish_silver: tuple[str, ...] = ()
    """Places that are written to when silver has changed."""


def build_dependencies(declarations: Declarations, publications: Iterable[Publication] = ()) -> Dependencies:
    """The declarations, and where they are published, as a plan sees them."""
    publications = tuple(publications)
    return Dependencies(
        entities={name: frozenset(entity.sources) for name, entity in declarations.entities.items()},
        dimensions={name: list_source_entities(dimension) for name, dimension in declarations.dimensions.items()},
        facts={
            name: FactInputs(entities=list_source_entities(fact), dimensions=frozenset(list_dimensions(fact)))
            for name, fact in declarations.facts.items()
        },
        publish=tuple(one.name for one in publications if one.layer == "gold"),
        publish_silver=tuple(one.name for one in publications if one.layer == "silver"),
    )


def select_resources(connector: Connector, view: Dependencies, *, named: tuple[str, ...] = ()) -> tuple[Resource, ...]:
    """The resources of a connection that are read, defaults filled in, parents first.

    Those that the connection names; unless it names any, those that feed an entity and are not optional. Parents of
    them always: nobody knows what to ask for below a record that was never read.
    """
    feeding = frozenset[str]().union(*view.entities.values())
    picked = [
        resource
        for resource in connector.resources
        if (resource.resource in named if named else _is_feeding_entity(connector, resource, feeding))
    ]
    selected: dict[str, Resource] = {}
    for resource in picked:
        for one in _list_ancestors(connector, resource):
            selected.setdefault(one.resource, connector.with_defaults(one))
    return tuple(selected.values())


def _is_feeding_entity(connector: Connector, resource: Resource, feeding: frozenset[str]) -> bool:
    return f"{connector.connector}.{resource.resource}" in feeding and not resource.optional


def _list_ancestors(connector: Connector, resource: Resource) -> list[Resource]:
    """The resource and those it hangs below, the topmost first."""
    line, above = [resource], resource
    while above.parent is not None and (parent := connector.find_resource(above.parent.resource)) is not None:
        if parent in line:
            break
        line.insert(0, parent)
        above = parent
    return line
