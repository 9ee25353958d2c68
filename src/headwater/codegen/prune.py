"""Reduces an API specification to the schemas that become contracts. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from headwater.codegen.choice import Choice, SharedObject
from headwater.errors import DeclarationError
from headwater.names import did_you_mean

Schema = Mapping[str, Any]
"""A schema of an OpenAPI specification."""

_REF = "#/components/schemas/"
_NO_NAME = re.compile(r"[^A-Za-z0-9_]+")
_SCALARS: dict[str, Any] = {
    "text": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "bigint": {"type": "integer"},
    "double": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
    "json": {},
}
NOTES = {"maxLength": "x-max-length", "description": "x-description"}
"""What a pruned schema keeps beside its type, under keys that the generator ignores."""

_KEPT_FORMATS = ("date", "date-time", "decimal")


def prune(described: Mapping[str, Schema], choice: Choice, where: str) -> dict[str, Schema]:
    """The chosen schemas and the schemas that they refer to, without text, enums, omitted fields and deep nesting."""
    schemas = dict(described)
    schemas.update(
        {
            name: _build_missing_schema(name, choice)
            for name in choice.schemas
            if name not in schemas and name in choice.types
        }
    )
    _check_corrections(schemas, choice)
    names = choice.schemas or tuple(sorted(name for name, schema in schemas.items() if _has_key(schema, choice.key)))
    for name in names:
        if name not in schemas:
            raise DeclarationError(
                "The description has no such schema.", where=where, details=name, hint=did_you_mean(name, schemas)
            )
    pruner = _Pruner(schemas, choice, frozenset(names))
    return _with_class_names(
        {name: pruner.prune_record(name) for name in names} | dict(sorted(pruner.collected.items()))
    )


def _check_corrections(schemas: Mapping[str, Schema], choice: Choice) -> None:
    """Refuse corrections of schemas and fields that do not exist: a mistyped `omit` would store what it should leave out."""
    corrections: dict[str, Mapping[str, Iterable[str]]] = {
        "omit": choice.omit,
        "types": choice.types,
        "refer": choice.refer,
    }
    for section, by_schema in corrections.items():
        for name, fields in by_schema.items():
            known = schemas[name].get("properties", {}) if name in schemas else {}
            unknown = [field for field in fields if field not in known] if section != "refer" else []
            if name not in schemas or unknown:
                where, what = (f"{section}.{name}", unknown[0]) if name in schemas else (section, name)
                raise DeclarationError(
                    f"The choice file corrects a {'field' if unknown and name in schemas else 'schema'} that does not exist.",
                    where=where,
                    details=what,
                    hint=did_you_mean(what, known if name in schemas else schemas),
                )


def _with_class_names(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """The schemas under names of classes. The generator would write `Agreement.Adjustment` to a module of its own."""
    names: dict[str, str] = {}
    for name in schemas:
        plain = (
            "".join(f"{word[:1].upper()}{word[1:]}" for word in _NO_NAME.split(name)) if _NO_NAME.search(name) else name
        )
        plain = plain if plain[:1].isalpha() else f"Schema{plain}"
        number, unique = 1, plain
        while unique in names.values() or (unique != name and unique in schemas):
            number += 1
            unique = f"{plain}{number}"
        names[name] = unique
    return {names[name]: _with_references(schema, names) for name, schema in schemas.items()}


def _with_references(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_references(item, names) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: _REF + names[item.removeprefix(_REF)]
        if key == "$ref" and isinstance(item, str)
        else _with_references(item, names)
        for key, item in value.items()
    }


def _has_key(schema: Schema, key: str) -> bool:
    return schema.get("type") == "object" and key in schema.get("properties", {})


def _build_missing_schema(name: str, choice: Choice) -> Schema:
    """A schema that the specification lacks, built from the choice file."""
    scalars = {field: _build_scalar(dtype) for field, dtype in choice.types[name].items()}
    references = _build_references(name, choice)
    shared: dict[str, Schema] = {item.field: {} for item in choice.objects.values()}
    return {"type": "object", "properties": {**scalars, **references, **shared}}


def _build_references(name: str, choice: Choice) -> dict[str, Schema]:
    """The references that the choice file adds to a schema."""
    return {
        field: {"type": "object", "properties": _build_keys(keys)} for field, keys in choice.refer.get(name, {}).items()
    }


def _build_scalar(dtype: str) -> Schema:
    scalar: Schema = _SCALARS.get(dtype, {"type": "number", "format": "decimal"})
    return scalar


def _build_keys(keys: Iterable[str]) -> dict[str, Schema]:
    return {key: {"type": "integer" if key == "id" else "string"} for key in keys}


class _Pruner:
    """Walks from the chosen schemas and collects the schemas that they refer to."""

    def __init__(self, schemas: Mapping[str, Schema], choice: Choice, records: frozenset[str]) -> None:
        self.schemas = schemas
        self.records = records
        self.choice = choice
        self.collected: dict[str, Schema] = {}

    def prune_record(self, name: str) -> Schema:
        """The schema of a record, without omitted fields."""
        omitted = self.choice.omit.get(name, ())
        types = self.choice.types.get(name, {})
        properties: dict[str, Schema] = {}
        for field, schema in self.schemas[name].get("properties", {}).items():
            if field in omitted:
                continue
            properties[field] = _SCALARS[types[field]] if field in types else self._prune_field(name, field, schema)
        required = [self.choice.key] if self.choice.key in properties else []
        return {"type": "object", "properties": properties, "required": required}

    def _prune_field(self, owner: str, field: str, schema: Schema) -> Schema:
        if shared := self.choice.find_shared_object(field):
            return self._build_shared(*shared)
        if schema.get("type") == "array":
            return {"type": "array", "items": self._prune_nested(owner, field, schema.get("items", {}))}
        return self._prune_nested(owner, field, schema)

    def _prune_nested(self, owner: str, field: str, schema: Schema) -> Schema:
        name, target = self._resolve(schema)
        if target.get("type") != "object" and "properties" not in target:
            return _prune_scalar(target)
        scalars = {
            key: leaf
            for key, inner in target.get("properties", {}).items()
            if (leaf := self._prune_leaf(key, inner)) is not None
        }
        if not scalars:
            return {}
        name = self._name_nested(name or f"{owner}{field[:1].upper()}{field[1:]}")
        for deeper, reference in _build_references(name, self.choice).items():
            deeper_name = f"{name}{deeper[:1].upper()}{deeper[1:]}"
            self.collected[deeper_name] = reference
            scalars[deeper] = {"$ref": _REF + deeper_name}
        self.collected[name] = {"type": "object", "properties": scalars}
        return {"$ref": _REF + name}

    def _name_nested(self, name: str) -> str:
        """The name of a nested object. In another record, a record has only scalars, so it is a class of its own there."""
        while name in self.records:
            name = f"{name}Reference"
        return name

    def _prune_leaf(self, key: str, schema: Schema) -> Schema | None:
        if key in self.choice.unread:
            return None
        _, target = self._resolve(schema)
        nested = target.get("type") in ("object", "array") or "properties" in target
        return None if nested else _prune_scalar(target)

    def _resolve(self, schema: Schema) -> tuple[str, Schema]:
        parts: list[Schema] = schema.get("allOf") or schema.get("oneOf") or schema.get("anyOf") or []
        if len(parts) == 1:
            return self._resolve(parts[0])
        reference = schema.get("$ref", "")
        if reference.startswith(_REF):
            name = reference.removeprefix(_REF)
            deeper, target = self._resolve(self.schemas.get(name, {}))
            return deeper or name, target
        return "", schema

    def _build_shared(self, name: str, shared: SharedObject) -> Schema:
        keys = {key: _build_scalar(dtype) for key, dtype in shared.keys.items()}
        self.collected[name] = {"type": "object", "properties": keys}
        reference = {"$ref": _REF + name}
        return {"type": "array", "items": reference} if shared.many else reference


def _prune_scalar(schema: Schema) -> Schema:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((item for item in kind if item != "null"), None)
    if kind not in ("string", "integer", "number", "boolean"):
        return {}
    scalar: dict[str, Any] = {"type": kind}
    if schema.get("format") in _KEPT_FORMATS:
        scalar["format"] = schema["format"]
    notes = {note: schema[key] for key, note in NOTES.items() if schema.get(key)}
    return {**scalar, **notes}
