"""From an address to the place it means."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from headwater.errors import StoreError, WarehouseError
from headwater.storage.base import Store
from headwater.storage.local import FolderStore

SCHEMES = ("s3", "abfss")
"""Object stores that an address may name."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)


def scheme_of(url: str) -> str:
    """`s3`, `abfss` or another scheme of an address; empty for a folder."""
    found = _SCHEME.match(url)
    return found[1].lower() if found else ""


def to_absolute(url: str, root: Path) -> str:
    """An address in full: a folder counts from `root`."""
    return url if scheme_of(url) else str(root / url)


def open_store(url: str) -> Store:
    """The folder or bucket at an address; StoreError where it cannot be one."""
    scheme = scheme_of(url)
    if not scheme:
        return FolderStore(url)
    if scheme not in SCHEMES:
        hint = f"a folder, or a URL that begins with {' or '.join(f'{one}://' for one in SCHEMES)}"
        raise StoreError("This URL cannot store files.", where=url, details=f"{scheme}:", hint=hint)
    store: Store = _import_obstore().ObjectStore(url)
    return store


def _import_obstore() -> Any:
    """The module of object stores, whose driver comes with an extra."""
    try:
        return importlib.import_module("headwater.storage.object_store")
    except ImportError as error:
        hint = 'pip install "headwater[files]"'
        raise StoreError("The driver for object stores is not installed.", details=str(error), hint=hint) from error


def import_delta() -> Any:
    """The module of Delta tables, whose driver comes with an extra."""
    try:
        return importlib.import_module("headwater.storage.delta")
    except ImportError as error:
        hint = 'pip install "headwater[files]"'
        raise WarehouseError("The driver for Delta tables is not installed.", details=str(error), hint=hint) from error
