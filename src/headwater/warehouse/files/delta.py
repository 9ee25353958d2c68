"""Delta tables below one pointer: each has a log of its own, so a commit writes down first what it may have to undo."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from headwater.storage.base import Store
from headwater.storage.endpoint import build_storage_options
from headwater.storage.url import import_delta
from headwater.warehouse.files.manifest import Key, Manifest, StoredTable, TableFile

DRAFTS = "_drafts/"
JOURNAL = "_journal.json"


def write_drafts(store: Store, before: Manifest, tables: Mapping[Key, StoredTable]) -> dict[Key, StoredTable]:
    """The tables with their drafts written to Delta, after the versions to go back to were written down."""
    changed = [key for key, table in tables.items() if any(_is_draft(piece) for piece in table.files)]
    if not changed:
        return dict(tables)
    versions = {".".join(key): before.tables[key].delta if key in before.tables else None for key in changed}
    store.write(JOURNAL, json.dumps(versions).encode())
    return {
        key: _write_table(store, key, table, before.tables.get(key)) if key in changed else table
        for key, table in tables.items()
    }


def undo_commit(store: Store, pointer: Manifest) -> None:
    """Take back what a commit that never came to its end has written to Delta tables."""
    found = store.read(JOURNAL)
    for name in json.loads(found.body) if found else ():
        key = next((key for key in pointer.tables if ".".join(key) == name), None)
        version = pointer.tables[key].delta if key else None
        if version is None:
            store.clear(name.replace(".", "/", 1) + "/")
        else:
            options = build_storage_options(store.url)
            import_delta().restore_version(_url(store, name.replace(".", "/", 1)), version, options=options)
    store.remove(JOURNAL)


def _write_table(store: Store, key: Key, table: StoredTable, before: StoredTable | None) -> StoredTable:
    drafts = [piece for piece in table.files if _is_draft(piece)]
    kept = tuple(piece for piece in table.files if not _is_draft(piece))
    grown = before is not None and bool(kept) and kept == before.files and table.columns == before.columns
    mode: Literal["append", "overwrite"] = "append" if grown else "overwrite"
    folder = "/".join(key)
    rewritten = drafts if grown else table.files
    files = [store.fetch(piece.path) for piece in rewritten]
    version = import_delta().write_version(
        _url(store, folder), files, mode=mode, options=build_storage_options(store.url)
    )
    pieces = tuple(TableFile(path=f"{folder}/{path}", rows=rows) for path, rows in version.files)
    return replace(table, files=pieces, delta=version.number)


def _is_draft(piece: TableFile) -> bool:
    return piece.path.startswith(DRAFTS)


def _url(store: Store, folder: str) -> str:
    return f"{store.url}/{folder}"
