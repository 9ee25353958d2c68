"""Finds the paths of a service that list records, with their parents, parameters and schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headwater.codegen.description import Description
from headwater.codegen.endpoints import find_response_shape

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


def find_listings(description: Description) -> tuple[tuple[Listing, ...], tuple[str, ...]]:
    """The paths that list records, and those that a manifest cannot read.

    A manifest reads a path without placeholders, or with one for the key of a record of another listing.
    """
    listings: dict[str, Listing] = {}
    left_out: list[str] = []
    for path, item in sorted(description.paths.items(), key=lambda entry: entry[0].count("{")):
        shape = find_response_shape(item["get"], description.schemas) if "get" in item else None
        if shape is None or not shape.is_list or not _is_collection(path):
            continue
        placeholders, owner = _PLACEHOLDER.findall(path), _find_owner(path, listings)
        if len(placeholders) > 1 or (placeholders and owner is None):
            left_out.append(path)
            continue
        parent = owner.resource if owner else None
        listings[path] = Listing(
            resource=_name_resource(path, parent, {one.resource for one in listings.values()}),
            path=_PLACEHOLDER.sub("{parent}", path).strip("/"),
            schema=shape.schema,
            records=shape.records,
            parent=parent,
            params=tuple(_iterate_params(item)),
        )
    return tuple(listings[path] for path in sorted(listings)), tuple(sorted(left_out))


def _is_collection(path: str) -> bool:
    last = path.rstrip("/").rpartition("/")[2]
    return "{" not in last and "." not in last and last != "count"


def _find_owner(path: str, listings: Mapping[str, Listing]) -> Listing | None:
    """The listing of the records that the path is below."""
    return listings.get(path.partition("{")[0].rstrip("/("))


def _iterate_params(item: Mapping[str, Any]) -> Iterator[str]:
    for param in (*item.get("parameters", ()), *item["get"].get("parameters", ())):
        if param.get("in") == "query":
            yield str(param["name"])


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
