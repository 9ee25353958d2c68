"""Finds the paths of a service that list records, with their parents, parameters and schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headwater.codegen.description import Description
from headwater.codegen.endpoints import find_endpoint_schemas
from headwater.codegen.prune import Schema
from headwater.errors import DeclarationError

_PLACEHOLDER = re.compile(r"\{[^}]*\}")
_UNSAFE = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A path whose `GET` lists the records of a schema."""

    resource: str
    """A name for the resource, unique in the description."""
    path: str
    """The path below the base URL, with `{parent}` for the key of the parent."""
    schema: str
    records: str = ""
    """The key of the list in the response; empty if the response is the list."""
    parent: str | None = None
    """The resource of the parent."""
    params: tuple[str, ...] = ()
    """The query parameters that the operation takes."""


def find_listings(description: Description) -> tuple[Listing, ...]:
    """The paths that list records: those without placeholders, and those below a record of one of them."""
    listings: dict[str, Listing] = {}
    for path, item in sorted(description.paths.items(), key=lambda entry: entry[0].count("{")):
        operation = item.get("get")
        if operation is None or not _is_collection(path):
            continue
        placeholders, owner = _PLACEHOLDER.findall(path), _find_owner(path, listings)
        if len(placeholders) > 1 or (placeholders and owner is None):
            continue
        listing = _read_listing(description, path, item, owner, {one.resource for one in listings.values()})
        if listing is not None:
            listings[path] = listing
    return tuple(listings[path] for path in sorted(listings))


def _is_collection(path: str) -> bool:
    last = path.rstrip("/").rpartition("/")[2]
    return "{" not in last and "." not in last and last != "count"


def _find_owner(path: str, listings: Mapping[str, Listing]) -> Listing | None:
    """The listing of the records that the path is below."""
    return listings.get(path.partition("{")[0].rstrip("/("))


def _read_listing(
    description: Description, path: str, item: Mapping[str, Any], owner: Listing | None, taken: set[str]
) -> Listing | None:
    envelope = _find_list(item["get"], description.schemas)
    if envelope is None:
        return None
    try:
        [schema] = find_endpoint_schemas(description.paths, description.schemas, [path], description.where)
    except DeclarationError:
        return None
    parent = owner.resource if owner else None
    return Listing(
        resource=_name_resource(path, parent, taken),
        path=_PLACEHOLDER.sub("{parent}", path).strip("/"),
        schema=schema,
        records=envelope,
        parent=parent,
        params=tuple(_iterate_params(item, description)),
    )


def _find_list(operation: Mapping[str, Any], schemas: Mapping[str, Schema]) -> str | None:
    """The key of the list in a response of the operation; empty if the response is the list, None if there is no list."""
    for code, response in operation.get("responses", {}).items():
        for media in response.get("content", {}).values() if str(code).startswith("2") else ():
            schema = _resolve(media.get("schema", {}), schemas)
            if schema.get("type") == "array":
                return ""
            lists = [key for key, inner in schema.get("properties", {}).items() if inner.get("type") == "array"]
            if len(lists) == 1 and not {"id", "Id"} & set(schema.get("properties", {})):
                return str(lists[0])
    return None


def _resolve(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    reference = str(schema.get("$ref", ""))
    return schemas.get(reference.rpartition("/")[2], {}) if reference else schema


def _iterate_params(item: Mapping[str, Any], description: Description) -> Iterator[str]:
    for param in (*item.get("parameters", ()), *item["get"].get("parameters", ())):
        named = description.parameters.get(str(param.get("$ref", "")).rpartition("/")[2], param)
        if named.get("in") == "query":
            yield str(named["name"])


def _name_resource(path: str, parent: str | None, taken: set[str]) -> str:
    """The last word of the path; with the words before it, or the parent, if another resource has this name."""
    words = [_to_snake(word) for word in _PLACEHOLDER.sub("", path).split("/") if _to_snake(word)]
    for count in range(1, len(words) + 1):
        name = "_".join(words[-count:])[-_LONGEST:].strip("_")
        if name not in taken and name[:1].isalpha():
            return name
    number = 2
    while f"{parent or 'records'}_{number}" in taken:
        number += 1
    return f"{parent or 'records'}_{number}"


def _to_snake(word: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", word).lower()
    return _UNSAFE.sub("_", spaced).strip("_")


_LONGEST = 48
"""The most characters of a name."""
