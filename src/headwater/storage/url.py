"""Opens a store by its URL."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from headwater.errors import StoreError, WarehouseError
from headwater.storage.base import Store
from headwater.storage.local import FolderStore

SCHEMES = ("s3", "abfss")
"""The URL schemes of object stores."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)


def parse_scheme(url: str) -> str:
    """The scheme of a URL, such as `s3` or `abfss`. Empty for a folder."""
    match = _SCHEME.match(url)
    return match[1].lower() if match else ""


def to_absolute(url: str, root: Path) -> str:
    """Return an absolute URL or path. A relative folder is below `root`."""
    return url if parse_scheme(url) else str(root / url)


def open_store(url: str) -> Store:
    """Open the folder or bucket at a URL. Raise StoreError if the URL is neither."""
    scheme = parse_scheme(url)
    if not scheme:
        return FolderStore(url)
    if scheme not in SCHEMES:
        hint = f"a folder, or a URL that begins with {' or '.join(f'{scheme}://' for scheme in SCHEMES)}"
        raise StoreError("This URL cannot store files.", where=url, details=f"{scheme}:", hint=hint)
    store: Store = _import_obstore().ObjectStore(url)
    return store


def _import_obstore() -> Any:
    """Import the module for object stores. Its driver comes with an extra."""
    try:
        return importlib.import_module("headwater.storage.object_store")
    except ImportError as error:
        hint = 'pip install "headwater[files]"'
        raise StoreError("The driver for object stores is not installed.", details=str(error), hint=hint) from error


def import_delta() -> Any:
    """Import the module for Delta tables. Its driver comes with an extra."""
    try:
        return importlib.import_module("headwater.storage.delta")
    except ImportError as error:
        hint = 'pip install "headwater[files]"'
        raise WarehouseError("The driver for Delta tables is not installed.", details=str(error), hint=hint) from error
