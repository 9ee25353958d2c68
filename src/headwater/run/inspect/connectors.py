"""The connectors that a project can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headwater.errors import DeclarationError, HeadwaterError
from headwater.model.connector import Connector
from headwater.model.field import Field
from headwater.names import did_you_mean
from headwater.run.plugins import list_connector_names, load_connector_plugin


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


def load_connector(name: str, root: Path | None = None) -> Connector:
    """Load a connector: from the project at `root` if it has one with this name, otherwise an installed one."""
    return load_connector_plugin(name, root=root, where="connector show").connector
