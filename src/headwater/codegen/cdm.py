"""Reads the Common Data Model: the entity files (`*.cdm.json`) of exported tables, or a manifest that names them.

Source: https://learn.microsoft.com/common-data-model/sdk/manifest. Business Central writes such files with bc2adls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from headwater.codegen.prune import Schema
from headwater.errors import DeclarationError

SYSTEM_ID = "systemId-2000000000"
"""The attribute with the id of a record in each table of Business Central."""

_TYPES: dict[str, dict[str, str]] = {
    "string": {"type": "string"},
    "char": {"type": "string"},
    "guid": {"type": "string"},
    "time": {"type": "string"},
    "option": {"type": "string"},
    "binary": {"type": "string"},
    "byte": {"type": "integer"},
    "int16": {"type": "integer"},
    "int32": {"type": "integer"},
    "int64": {"type": "integer"},
    "integer": {"type": "integer"},
    "biginteger": {"type": "integer"},
    "double": {"type": "number"},
    "float": {"type": "number"},
    "decimal": {"type": "number", "format": "decimal"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "datetimeoffset": {"type": "string", "format": "date-time"},
}
"""By the `dataFormat` of an attribute, in lower case."""


def is_cdm(content: Mapping[str, Any]) -> bool:
    """Whether a file is an entity file or a manifest."""
    definitions = content.get("definitions")
    has_entities = isinstance(definitions, list) and any("hasAttributes" in item for item in definitions)
    return has_entities or isinstance(content.get("entities"), list)


def load_cdm_schemas(
    path: Path, content: Mapping[str, Any], read_mapping: Callable[[Path], Mapping[str, Any]]
) -> dict[str, Schema]:
    """The schemas of an entity file, or of all entities of a manifest, whose files lie beside it."""
    entities = content.get("entities")
    if not isinstance(entities, list):
        return dict(_iterate_schemas(content))
    schemas: dict[str, Schema] = {}
    for entity in entities:
        file, name = _locate_entity(path, entity)
        loaded = dict(_iterate_schemas(read_mapping(file)))
        if name not in loaded:
            raise DeclarationError(
                "The entity file has no such entity.", where=file.name, details=name, hint=f"it has {', '.join(loaded)}"
            )
        schemas[name] = loaded[name]
    return schemas


def _locate_entity(manifest: Path, entity: Mapping[str, Any]) -> tuple[Path, str]:
    """The file and the name of an entity of a manifest: `entityPath` is `folder/Customer-18.cdm.json/Customer-18`."""
    entity_path = str(entity.get("entityPath", ""))
    file, _, name = entity_path.rpartition("/")
    if not file or ":" in file:
        raise DeclarationError(
            "The entity of the manifest has no file here.",
            where=manifest.name,
            details=entity_path or str(entity.get("entityName", "")),
            hint="`entityPath` is a path relative to the manifest, and the name of the entity in that file",
        )
    return manifest.parent / file, name


def _iterate_schemas(content: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
    for definition in content.get("definitions", []):
        if "hasAttributes" in definition:
            name = str(definition["entityName"])
            attributes = definition["hasAttributes"]
            properties = {str(attribute["name"]): _build_property(attribute) for attribute in attributes}
            yield name, {"type": "object", "description": definition.get("description", ""), "properties": properties}


def _build_property(attribute: Mapping[str, Any]) -> Schema:
    """The schema of an attribute. An unknown type becomes JSON, which takes any value."""
    kind = _TYPES.get(str(attribute.get("dataFormat", "")).lower(), {})
    length = attribute.get("maximumLength")
    limits = {"maxLength": length} if kind == {"type": "string"} and isinstance(length, int) and length > 0 else {}
    return {**kind, **limits, "description": str(attribute.get("description") or attribute.get("displayName") or "")}
