"""Finds what an endpoint returns: the schema of its records, and where the list of records is in the response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headwater.codegen.prune import Schema
from headwater.errors import DeclarationError
from headwater.names import did_you_mean

_REF = "#/components/schemas/"
_KEYS = frozenset({"id", "uuid", "guid", "key"})
"""Properties, in lower case, of a record rather than of an envelope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseShape:
    """What the response of an endpoint is."""

    schema: str
    """The schema of a record."""
    is_list: bool = True
    """Whether it lists records. Otherwise it is one record."""
    records: str = ""
    """The key of the list in the response; empty if the response is the list or the record."""


def find_endpoint_schemas(
    paths: Mapping[str, Any], schemas: Mapping[str, Schema], endpoints: Sequence[str], where: str
) -> tuple[str, ...]:
    """The names of the schemas of the records that `GET` returns at these paths. DeclarationError if there is no such one."""
    return tuple(dict.fromkeys(_find_schema(paths, schemas, endpoint, where) for endpoint in endpoints))


def find_response_shape(operation: Mapping[str, Any], schemas: Mapping[str, Schema]) -> ResponseShape | None:
    """What an operation returns; None if the description does not say, or if it returns no record."""
    for schema in _iterate_responses(operation):
        if (shape := _find_shape(schema, schemas)) is not None:
            return shape
    return None


def _find_schema(paths: Mapping[str, Any], schemas: Mapping[str, Schema], endpoint: str, where: str) -> str:
    operation = paths.get(endpoint, {}).get("get")
    if operation is None:
        raise DeclarationError(
            "The description has no such endpoint.", where=where, details=endpoint, hint=did_you_mean(endpoint, paths)
        )
    shape = find_response_shape(operation, schemas)
    if shape is None:
        raise DeclarationError(
            "The endpoint describes no records.",
            where=where,
            details=f"GET {endpoint}",
            hint="name the schema of its records under `schemas:`",
        )
    return shape.schema


def _iterate_responses(operation: Mapping[str, Any]) -> Iterator[Schema]:
    """The schemas of successful responses."""
    for code, response in operation.get("responses", {}).items():
        if str(code).startswith("2") or code == "default":
            for media in response.get("content", {}).values():
                yield media.get("schema", {})


def _find_shape(schema: Schema, schemas: Mapping[str, Schema]) -> ResponseShape | None:
    """A list of records, an envelope with one list of records, or one record."""
    name, target = _resolve(schema, schemas)
    if target.get("type") == "array":
        record, _ = _resolve(target.get("items", {}), schemas)
        return ResponseShape(schema=record) if record else None
    properties = target.get("properties", {})
    lists = {key: record for key, inner in properties.items() if (record := _find_element(inner, schemas))}
    if len(lists) == 1 and not _KEYS & {key.lower() for key in properties}:
        [(key, record)] = lists.items()
        return ResponseShape(schema=record, records=key)
    return ResponseShape(schema=name, is_list=False) if name and properties else None


def _find_element(schema: Schema, schemas: Mapping[str, Schema]) -> str:
    """The schema of the elements of a list; empty if it is no list of records."""
    _, target = _resolve(schema, schemas)
    return _resolve(target.get("items", {}), schemas)[0] if target.get("type") == "array" else ""


def _resolve(schema: Schema, schemas: Mapping[str, Schema]) -> tuple[str, Schema]:
    """The name and the content of a schema. A schema that is written in place has no name."""
    parts = schema.get("allOf", ())
    if len(parts) == 1:
        return _resolve(parts[0], schemas)
    reference = str(schema.get("$ref", ""))
    name = reference.removeprefix(_REF)
    return (name, schemas.get(name, {})) if reference else ("", schema)
