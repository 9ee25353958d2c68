"""Writes Delta tables. Each has a log of its own, so a commit of several first writes a journal by which it can be undone."""

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
    """Write the drafts of the tables to Delta, after the journal with the versions to restore; return the new tables."""
    changed = [key for key, table in tables.items() if any(_is_draft(file) for file in table.files)]
    if not changed:
        return dict(tables)
    versions = {".".join(key): before.tables[key].delta if key in before.tables else None for key in changed}
    store.write(JOURNAL, json.dumps(versions).encode())
    return {
        key: _write_table(store, key, table, before.tables.get(key)) if key in changed else table
        for key, table in tables.items()
    }


def undo_commit(store: Store, manifest: Manifest) -> None:
    """Restore the Delta tables that an unfinished commit has written."""
    journal = store.read(JOURNAL)
    for name in json.loads(journal.body) if journal else ():
        key = next((key for key in manifest.tables if ".".join(key) == name), None)
        version = manifest.tables[key].delta if key else None
        if version is None:
            store.clear(name.replace(".", "/", 1) + "/")
        else:
            options = build_storage_options(store.url)
            import_delta().restore_version(_build_url(store, name.replace(".", "/", 1)), version, options=options)
    store.remove(JOURNAL)


def _write_table(store: Store, key: Key, table: StoredTable, before: StoredTable | None) -> StoredTable:
    drafts = [file for file in table.files if _is_draft(file)]
    unchanged = tuple(file for file in table.files if not _is_draft(file))
    is_append = before is not None and bool(unchanged) and unchanged == before.files and table.columns == before.columns
    mode: Literal["append", "overwrite"] = "append" if is_append else "overwrite"
    folder = "/".join(key)
    written_files = drafts if is_append else table.files
    paths = [store.fetch(file.path) for file in written_files]
    version = import_delta().write_version(
        _build_url(store, folder), paths, mode=mode, options=build_storage_options(store.url)
    )
    files = tuple(TableFile(path=f"{folder}/{path}", rows=rows) for path, rows in version.files)
    return replace(table, files=files, delta=version.number)


def _is_draft(file: TableFile) -> bool:
    return file.path.startswith(DRAFTS)


def _build_url(store: Store, folder: str) -> str:
    return f"{store.url}/{folder}"
