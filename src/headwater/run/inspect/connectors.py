"""The connectors that a project can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headwater.model.connector import Connector
from headwater.run.plugins import list_connector_names, load_connector_plugin


def list_connectors(root: Path | None = None) -> list[dict[str, Any]]:
    """The installed connectors, and the connectors of the project at `root`."""
    local = [path.parent.name for path in root.glob("connectors/*/connector.yaml")] if root else []
    installed = (load_connector_plugin(name, root=root).connector for name in sorted({*list_connector_names(), *local}))
    return [
        {
            "connector": item.connector,
            "title": item.title,
            "resources": len(item.resources),
            "confidence": item.confidence,
        }
        for item in installed
    ]


def load_connector(name: str, root: Path | None = None) -> Connector:
    """Load a connector: from the project at `root` if it has one with this name, otherwise an installed one."""
    return load_connector_plugin(name, root=root, where="connector show").connector
