"""The connectors that a project can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headwater.errors import DeclarationError, HeadwaterError
from headwater.model.connector import Connector
from headwater.model.field import Field
from headwater.model.resource import Resource
from headwater.names import did_you_mean
from headwater.run.plugins import list_connector_names, load_connector_plugin
from headwater.wire.cursor import ChangeFilter, DeleteFlag, DeleteMark, FullSnapshot, IdSweep, NoDeletes


def list_connectors(root: Path | None = None) -> list[dict[str, Any]]:
    """The installed connectors, and the connectors of the project at `root`. A broken one has its error instead of a title."""
    local = [path.parent.name for path in root.glob("connectors/*/connector.yaml")] if root else []
    return [
        {**_describe(name, root), "from": "project" if name in local else "installed"}
        for name in sorted({*list_connector_names(), *local})
    ]


def _describe(name: str, root: Path | None) -> dict[str, Any]:
    try:
        item = load_connector_plugin(name, root=root).connector
    except HeadwaterError as error:
        where = f" ({error.where})" if error.where else ""
        return {"connector": name, "title": "", "resources": 0, "confidence": "", "broken": f"{error.message}{where}"}
    return {
        "connector": item.connector,
        "title": item.title,
        "resources": len(item.resources),
        "confidence": item.confidence,
    }


def list_fields(name: str, root: Path | None = None, *, resource: str | None = None) -> dict[str, list[dict[str, str]]]:
    """The fields of each resource of a connector, or of one, as `map:` may name them. DeclarationError if it is unknown."""
    fields = {
        source.partition(".")[2]: [_describe_field(field) for field in listed]
        for source, listed in load_connector_plugin(name, root=root, where="connector show").list_fields().items()
    }
    if resource is None:
        return fields
    if resource not in fields:
        raise DeclarationError(
            f"{name} has no resource `{resource}`.",
            where="--resource",
            details=resource,
            hint=did_you_mean(resource, fields),
        )
    return {resource: fields[resource]}


def _describe_field(field: Field) -> dict[str, str]:
    parts = f" of {', '.join(part.dotted for part in field.parts)}" if field.parts else ""
    return {"field": field.dotted, "type": f"list{parts}" if field.many else field.dtype, "description": field.doc}


def list_resources(name: str, root: Path | None = None) -> list[dict[str, Any]]:
    """How a connector reads each of its resources, and how well that is known. DeclarationError if it is unknown."""
    plugin = load_connector_plugin(name, root=root, where="connector show")
    return [
        {
            "resource": resource.resource,
            "path": resource.path,
            "key": ", ".join(resource.key),
            "cursor": _describe_cursor(resource),
            "deletes": _describe_deletes(resource),
            "confidence": resource.confidence,
            "fields": len(plugin.get_fields(resource.resource)),
        }
        for resource in map(plugin.connector.with_defaults, plugin.connector.resources)
    ]


def _describe_cursor(resource: Resource) -> str:
    cursor = resource.cursor or FullSnapshot()
    if isinstance(cursor, ChangeFilter):
        return f"changes by {cursor.field}"
    return "all records" if isinstance(cursor, FullSnapshot) else "delta"


def _describe_deletes(resource: Resource) -> str:
    deletes = resource.deletes
    match deletes:
        case IdSweep():
            return f"sweep every {deletes.every}{', verified' if resource.verify else ''}"
        case DeleteFlag():
            return f"{deletes.field} = {deletes.equals}"
        case DeleteMark():
            return f"entries with {deletes.field}"
        case NoDeletes():
            return "not detected"
    is_changes = isinstance(resource.cursor, ChangeFilter)
    return "not detected" if is_changes else f"absence{', verified' if resource.verify else ''}"


def load_connector(name: str, root: Path | None = None) -> Connector:
    """Load a connector: from the project at `root` if it has one with this name, otherwise an installed one."""
    return load_connector_plugin(name, root=root, where="connector show").connector
