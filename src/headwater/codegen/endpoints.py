"""Finds the schemas of the records that an endpoint lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headwater.codegen.prune import Schema
from headwater.errors import DeclarationError
from headwater.names import did_you_mean

_REF = "#/components/schemas/"


def find_endpoint_schemas(
    paths: Mapping[str, Any], schemas: Mapping[str, Schema], endpoints: Sequence[str], where: str
) -> tuple[str, ...]:
    """The names of the schemas of the records that `GET` returns at these paths. DeclarationError if there is no such one."""
    return tuple(dict.fromkeys(_find_schema(paths, schemas, endpoint, where) for endpoint in endpoints))


def _find_schema(paths: Mapping[str, Any], schemas: Mapping[str, Schema], endpoint: str, where: str) -> str:
    operation = paths.get(endpoint, {}).get("get")
    if operation is None:
        raise DeclarationError(
            "The description has no such endpoint.", where=where, details=endpoint, hint=did_you_mean(endpoint, paths)
        )
    for response in _iterate_successes(operation.get("responses", {})):
        for media in response.get("content", {}).values():
            name = _find_record(media.get("schema", {}), schemas)
            if name is not None:
                return name
    raise DeclarationError(
        "The endpoint describes no records.",
        where=where,
        details=f"GET {endpoint}",
        hint="name the schema of its records under `schemas:`",
    )


def _iterate_successes(responses: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for code, response in responses.items():
        if str(code).startswith("2") or code == "default":
            yield response


def _find_record(schema: Schema, schemas: Mapping[str, Schema]) -> str | None:
    """The schema of a record: of the elements of a list, of the only list in an envelope, or of one object."""
    if schema.get("type") == "array":
        return _find_record(schema.get("items", {}), schemas)
    reference = str(schema.get("$ref", ""))
    name = reference.removeprefix(_REF) if reference.startswith(_REF) else None
    target = schema if name is None else schemas.get(name, {})
    lists = [item for item in target.get("properties", {}).values() if item.get("type") == "array"]
    inner = [found for item in lists if (found := _find_record(item, schemas)) is not None]
    if len(inner) == 1 and len(target.get("properties", {})) <= _ENVELOPE:
        return inner[0]
    return name


_ENVELOPE = 4
"""An object with a list has at most so many properties if it is an envelope: the list, a next link, a total."""
