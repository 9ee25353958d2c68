"""Spells the schemas of a description in one way, so that no field is lost to another spelling of the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headwater.codegen.prune import Schema

_REF = "#/components/schemas/"
_NULL = {"type": "null"}


def normalize_schemas(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """The schemas with one type each, `object` for what has properties, and the properties of all parts of an `allOf`."""
    return {name: _normalize(schema, schemas, (name,)) for name, schema in schemas.items()}


def replace_references(value: Any, document: Mapping[str, Any], depth: int = 0) -> Any:
    """`value` with what its references stand for. References to schemas stay, because they name a schema."""
    if isinstance(value, list):
        return [replace_references(item, document, depth) for item in value]
    if not isinstance(value, Mapping):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and not reference.startswith(_REF) and depth < _DEEPEST:
        return replace_references(_follow(reference, document), document, depth + 1)
    return {key: replace_references(item, document, depth) for key, item in value.items()}


_DEEPEST = 10
"""So many references may follow one another. More are a circle."""


def _follow(reference: str, document: Mapping[str, Any]) -> Any:
    """What a local reference points to; nothing for another file."""
    target: Any = document if reference.startswith("#/") else {}
    for part in reference.removeprefix("#/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        target = target.get(key, {}) if isinstance(target, Mapping) else {}
    return target


def _normalize(schema: Schema, schemas: Mapping[str, Schema], within: Sequence[str]) -> Schema:
    kind = schema.get("type")
    plain: dict[str, Any] = {**schema, **({"type": _find_type(kind)} if isinstance(kind, list) else {})}
    parts = _list_parts(plain)
    properties = {**_merge_parts(parts, schemas, within), **_normalize_properties(plain, schemas, within)}
    if len(parts) == 1 and not plain.get("properties"):
        return {"allOf": [_normalize(parts[0], schemas, within)]}
    if properties:
        return {**plain, "type": "object", "properties": properties}
    if isinstance(plain.get("items"), Mapping):
        return {**plain, "items": _normalize(plain["items"], schemas, within)}
    return plain


def _find_type(kinds: Sequence[str]) -> str | None:
    """The only type beside null; None for a choice between several, which JSON takes."""
    others = [kind for kind in kinds if kind != "null"]
    return others[0] if len(others) == 1 else None


def _list_parts(schema: Schema) -> list[Schema]:
    """The schemas that a value has all of: those of `allOf`, or the only one of a choice beside null."""
    parts: list[Schema] = schema.get("allOf") or []
    choice = [part for part in schema.get("oneOf") or schema.get("anyOf") or [] if part != _NULL]
    return parts or (choice if len(choice) == 1 else [])


def _merge_parts(parts: Sequence[Schema], schemas: Mapping[str, Schema], within: Sequence[str]) -> dict[str, Schema]:
    """The properties of all parts, those that they refer to included. A later one replaces an earlier one."""
    return {name: schema for part in parts for name, schema in _iterate_properties(part, schemas, within)}


def _iterate_properties(
    part: Schema, schemas: Mapping[str, Schema], within: Sequence[str]
) -> Iterator[tuple[str, Schema]]:
    reference = str(part.get("$ref", ""))
    name = reference.removeprefix(_REF)
    if reference and name in within:
        return  # a schema that contains itself adds nothing to itself
    target = schemas.get(name, {}) if reference else part
    yield from _normalize(target, schemas, (*within, name)).get("properties", {}).items()
    yield from _merge_parts(_list_parts(target), schemas, (*within, name)).items()


def _normalize_properties(schema: Schema, schemas: Mapping[str, Schema], within: Sequence[str]) -> dict[str, Schema]:
    return {name: _normalize(inner, schemas, within) for name, inner in (schema.get("properties") or {}).items()}
