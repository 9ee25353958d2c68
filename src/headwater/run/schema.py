"""JSON Schema of all declarations, with the options of the installed engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from headwater.model.connector import Connector
from headwater.model.dimension import DateDimension, EntityDimension, EnumDimension
from headwater.model.entity import Entity, Rules
from headwater.model.fact import Fact
from headwater.model.project import Project, WarehouseOptions
from headwater.run.plugins import list_warehouse_settings

_NOUNS: Sequence[tuple[str, Any]] = (
    ("connector", Connector),
    ("entity", Entity),
    ("rules", Rules),
    ("dimension", EntityDimension | EnumDimension | DateDimension),
    ("fact", Fact),
)


def build_json_schema() -> dict[str, Any]:
    """JSON Schema of headwater.yaml and of each kind of declaration below models/, for editors."""
    return {"project": _build_project_schema(), **{name: TypeAdapter(noun).json_schema() for name, noun in _NOUNS}}


def _build_project_schema() -> dict[str, Any]:
    """The schema of a project. Its warehouse is one of the installed engines."""
    classes = list_warehouse_settings()
    references, settings = models_json_schema([(kind, "validation") for kind in classes])
    project = Project.model_json_schema()
    project["$defs"] |= settings["$defs"]
    project["$defs"][WarehouseOptions.__name__] = {"oneOf": [references[kind, "validation"] for kind in classes]}
    return project
