"""Which resources of a connector are tested: one of each way in which resources are read."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from headwater.errors import DeclarationError
from headwater.model.connector import Connector
from headwater.model.resource import Resource
from headwater.names import did_you_mean
from headwater.run.kit.scenario import Shape


def choose_shapes(connector: Connector, names: Collection[str] = ()) -> tuple[Shape, ...]:
    """One resource of each shape, or each of `names`. DeclarationError for a resource that the connector does not have."""
    known = [resource.resource for resource in connector.resources]
    for name in names:
        if name not in known:
            raise DeclarationError(
                f"{connector.connector} has no resource `{name}`.",
                where="--resource",
                details=name,
                hint=did_you_mean(name, known),
            )
    full = [connector.with_defaults(resource) for resource in connector.resources]
    if names:
        return tuple(Shape(connector=connector, resource=one) for one in full if one.resource in names)
    return tuple(_group(connector, full))


def _group(connector: Connector, resources: Iterable[Resource]) -> Iterable[Shape]:
    groups: dict[tuple[object, ...], list[Resource]] = {}
    for resource in resources:
        groups.setdefault(_build_shape_key(resource), []).append(resource)
    for first, *rest in groups.values():
        yield Shape(connector=connector, resource=first, others=tuple(one.resource for one in rest))


def _build_shape_key(resource: Resource) -> tuple[object, ...]:
    """What decides how a resource is read, without its paths and fields."""
    paging, cursor, deletes = resource.paging, resource.cursor, resource.deletes
    return (
        getattr(paging, "kind", ""),
        getattr(paging, "stable", None),
        getattr(cursor, "kind", ""),
        tuple(sorted(getattr(cursor, "params", {}))),
        getattr(deletes, "kind", ""),
        resource.parent is not None,
        getattr(resource.body, "kind", ""),
        resource.records_optional,
    )
