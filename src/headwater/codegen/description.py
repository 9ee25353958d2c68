"""Reads a description of records: OpenAPI 3, OpenAPI 2 (Swagger) or CDM. All become schemas of OpenAPI 3."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from headwater.codegen.cdm import is_cdm, load_cdm_schemas
from headwater.codegen.normalize import normalize_schemas, replace_references
from headwater.codegen.prune import Schema
from headwater.errors import DeclarationError

DescriptionFormat = Literal["auto", "openapi", "cdm"]

_REF_2, _REF_3 = "#/definitions/", "#/components/schemas/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a file says about records."""

    where: str
    """The name of the file."""
    format: Literal["openapi", "cdm"]
    schemas: Mapping[str, Schema]
    paths: Mapping[str, Any] = field(default_factory=dict)
    """The paths of an OpenAPI description, with their operations."""
    security: Mapping[str, Any] = field(default_factory=dict)
    """How requests authenticate: the security schemes, by name."""
    servers: tuple[str, ...] = ()
    """The URLs of the service."""


def load_description(path: Path, wanted: DescriptionFormat = "auto") -> Description:
    """Read a file in JSON or YAML. Its content tells the format; DeclarationError if it is not the wanted one."""
    content = _read_mapping(path)
    found = _find_format(content)
    if found is None or wanted not in ("auto", found):
        raise DeclarationError(
            "This is not a description of records." if found is None else f"This is not a description in {wanted}.",
            where=path.name,
            details=", ".join(list(content)[:5]) if found is None else found,
            hint="OpenAPI has the key `openapi` or `swagger`; CDM has `definitions` with `hasAttributes`, or `entities`",
        )
    if found == "cdm":
        return Description(where=path.name, format="cdm", schemas=load_cdm_schemas(path, content, _read_mapping))
    document = _upgrade(content) if "swagger" in content else content
    components = document.get("components", {})
    return Description(
        where=path.name,
        format="openapi",
        schemas=normalize_schemas(components.get("schemas", {})),
        paths=replace_references(document.get("paths", {}), document),
        security=components.get("securitySchemes", {}),
        servers=tuple(str(server.get("url", "")) for server in document.get("servers", ())),
    )


def _read_mapping(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text("utf-8-sig")
        content = yaml.safe_load(text) if path.suffix in (".yaml", ".yml") else json.loads(text)
    except OSError as error:
        raise DeclarationError(
            "The description cannot be read.",
            where=path.name,
            details=error.strerror or "",
            hint="pass the path of an OpenAPI document or of a CDM file",
        ) from error
    except (ValueError, yaml.YAMLError) as error:
        raise DeclarationError(
            "The description is neither JSON nor YAML.",
            where=path.name,
            details=str(error).splitlines()[0],
            hint="a file of YAML ends in `.yaml` or `.yml`, any other is JSON; both are UTF-8",
        ) from error
    if not isinstance(content, dict):
        raise DeclarationError("This is not a description of records.", where=path.name, details=type(content).__name__)
    return content


def _find_format(content: Mapping[str, Any]) -> Literal["openapi", "cdm"] | None:
    if str(content.get("openapi", "")).startswith("3") or str(content.get("swagger", "")).startswith("2"):
        return "openapi"
    return "cdm" if is_cdm(content) else None


def _upgrade(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schemas and the paths of OpenAPI 2, spelled as in OpenAPI 3."""
    document = dict(_walk(document))
    paths = replace_references(document.get("paths", {}), document)
    return {
        "components": {
            "schemas": document.get("definitions", {}),
            "securitySchemes": document.get("securityDefinitions", {}),
        },
        "servers": [{"url": f"https://{document['host']}{document.get('basePath', '')}"}] if "host" in document else [],
        "paths": {path: dict(_upgrade_operations(item)) for path, item in paths.items()},
    }


def _walk(value: Any) -> Any:
    if isinstance(value, list):
        return [_walk(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: _REF_3 + item.removeprefix(_REF_2)
        if key == "$ref" and isinstance(item, str) and item.startswith(_REF_2)
        else _walk(item)
        for key, item in value.items()
    }


def _upgrade_operations(item: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, operation in item.items():
        if not isinstance(operation, Mapping):
            yield name, operation
            continue
        responses = {
            code: {"content": {"application/json": {"schema": response.get("schema", {})}}}
            for code, response in operation.get("responses", {}).items()
        }
        yield name, {**operation, "responses": responses}
