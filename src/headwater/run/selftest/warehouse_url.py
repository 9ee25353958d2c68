"""A warehouse that is named on the command line: `duckdb:PATH`, `postgresql://user@host/db`, `env:NAME`, `spark:local[2]` …

The same settings as under `warehouse:`, in one word: the kind, what it is told first, and the rest behind a question mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, TypeAdapter, ValidationError

from headwater.errors import DeclarationError
from headwater.model.project import WarehouseSettings

EXAMPLES = "duckdb:PATH, postgresql://user@host/db, env:DATABASE_URL, spark:local[2], files:FOLDER"
"""How warehouses are named."""

MEMORY = ":memory:"
"""A DuckDB that is gone when its process is."""

_WHERE = "--warehouse"
_ADDRESSES = {"postgresql": "postgres", "postgres": "postgres", "env": "postgres", "file": "postgres"}
"""What an address, or a reference to one, that names no kind is taken for."""
_FIRST = {"duckdb": "path"}
"""What the word after the kind is called, where it is not `url`."""
_SETTINGS: TypeAdapter[Any] = TypeAdapter(WarehouseSettings)


def named(text: str) -> Any:
    """The settings of a warehouse named in one word; DeclarationError where it cannot be meant."""
    kind, colon, rest = text.partition(":")
    if kind in _ADDRESSES and (rest.startswith("//") or kind not in _ADDRESSES.values()):
        return settings_of({"kind": _ADDRESSES[kind], "url": text})
    if not colon:
        raise DeclarationError("This names no warehouse.", where=_WHERE, details=text, hint=f"write one of: {EXAMPLES}")
    first, _, more = rest.partition("?")
    values: dict[str, Any] = dict(parse_qsl(more))
    if first:
        values[_FIRST.get(kind, "url")] = first
    if "path" in values and kind in _FIRST:
        values["path"] = _for_each_tenant(values["path"])
    return settings_of({"kind": kind, **values})


def settings_of(values: Mapping[str, Any]) -> Any:
    """The settings that a mapping declares; DeclarationError where it does not."""
    try:
        return _SETTINGS.validate_python(dict(values))
    except ValidationError as error:
        # The text itself stays out of sight: where it does not hold, it may well be a password.
        details = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise DeclarationError(
            "This names no warehouse.", where=_WHERE, details=details, hint=f"write one of: {EXAMPLES}"
        ) from error


def plain_settings(settings: BaseModel) -> dict[str, Any]:
    """The settings as JSON can hold them; secrets are references in them."""
    return settings.model_dump(mode="json", exclude_unset=True) | {"kind": getattr(settings, "kind", "")}


def _for_each_tenant(path: str) -> str:
    """A file for each tenant beside the one that is named, or in the folder: a file that is there is somebody's."""
    if "{tenant}" in path or path == MEMORY:
        return path
    found = Path(path)
    folder = found.parent if found.suffix or found.is_file() else found
    return str(folder / "{tenant}.duckdb")
