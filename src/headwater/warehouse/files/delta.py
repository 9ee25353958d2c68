"""Delta tables below one pointer: each has a log of its own, so a commit writes down first what it may have to undo."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from headwater.errors import WarehouseError
from headwater.storage.base import Store
from headwater.storage.endpoint import allows_plain_http
from headwater.warehouse.files.manifest import Key, Piece, Pointer, StoredTable

DRAFTS = "_drafts/"
JOURNAL = "_journal.json"


def settled(store: Store, before: Pointer, tables: Mapping[Key, StoredTable]) -> dict[Key, StoredTable]:
    """The tables with their drafts written to Delta, after the versions to go back to were written down."""
    changed = [key for key, table in tables.items() if any(_draft(piece) for piece in table.pieces)]
    if not changed:
        return dict(tables)
    versions = {".".join(key): before.tables[key].delta if key in before.tables else None for key in changed}
    store.write(JOURNAL, json.dumps(versions).encode())
    return {
        key: _written(store, key, table, before.tables.get(key)) if key in changed else table
        for key, table in tables.items()
    }


def undone(store: Store, pointer: Pointer) -> None:
    """Take back what a commit that never came to its end has written to Delta tables."""
    found = store.read(JOURNAL)
    for name in json.loads(found.body) if found else ():
        key = next((key for key in pointer.tables if ".".join(key) == name), None)
        version = pointer.tables[key].delta if key else None
        if version is None:
            store.clear(name.replace(".", "/", 1) + "/")
        else:
            delta_tables().restore_version(_url(store, name.replace(".", "/", 1)), version, options=options())
    store.remove(JOURNAL)


def options() -> dict[str, str]:
    """What delta-rs is told beside the environment."""
    return {"AWS_ALLOW_HTTP": "true"} if allows_plain_http() else {}


def _written(store: Store, key: Key, table: StoredTable, before: StoredTable | None) -> StoredTable:
    drafts = [piece for piece in table.pieces if _draft(piece)]
    kept = tuple(piece for piece in table.pieces if not _draft(piece))
    grown = before is not None and bool(kept) and kept == before.pieces and table.columns == before.columns
    mode: Literal["append", "overwrite"] = "append" if grown else "overwrite"
    folder = "/".join(key)
    rewritten = drafts if grown else table.pieces
    files = [store.fetch(piece.path) for piece in rewritten]
    version = delta_tables().write_version(_url(store, folder), files, mode=mode, options=options())
    pieces = tuple(Piece(path=f"{folder}/{path}", rows=rows) for path, rows in version.files)
    return replace(table, pieces=pieces, delta=version.number)


def _draft(piece: Piece) -> bool:
    return piece.path.startswith(DRAFTS)


def _url(store: Store, folder: str) -> str:
    return f"{store.url}/{folder}"


def delta_tables() -> Any:
    """The module of Delta tables, whose driver comes with an extra."""
    try:
        return importlib.import_module("headwater.storage.delta")
    except ImportError as error:
        hint = 'pip install "headwater[files]"'
        raise WarehouseError("Delta tables need a driver that is not installed.", saw=str(error), hint=hint) from error
