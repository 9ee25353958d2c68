"""Publishes tables to a bucket: writes new files, then one small file that lists the current ones.

- `current.json`: the manifest. It lists the files of one complete state. Replacing it publishes the state.
- `.versions/{state}/{table}/part-0.parquet`: a table as it was written in that state. A table that does not change keeps
  its file.

Files that the manifest no longer lists are deleted after an hour, so that readers of the previous one can finish.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from headwater.clock import parse_instant
from headwater.errors import WarehouseError
from headwater.publish.folder import CURRENT, Fill, build_other_format_error
from headwater.storage.base import Store

GRACE = timedelta(hours=1)
"""How long the files of a previous `current.json` are kept for its readers."""

_STATES = ".versions/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedBucket:
    """The part of a publication that belongs to one tenant. Its one writer is the holder of the tenant's lease."""

    store: Store
    suffix: str
    """The suffix of the files, e.g. `.parquet`."""

    @property
    def where(self) -> str:
        """The location, for messages."""
        return self.store.url

    def read_manifest(self) -> dict[str, Any]:
        """The manifest of the published state; empty if nothing is published."""
        manifest = load_manifest(self.store)
        if manifest.get("format") == "delta":
            raise build_other_format_error(self.where, "delta")
        return manifest

    def publish_state(self, state: str, metadata: Mapping[str, Any], digests: Mapping[str, str], *, fill: Fill) -> None:
        """Publish a new state atomically. A table with an unchanged digest keeps its file."""
        before = self.read_manifest()
        tables = {
            table: self._write_table(state, table, digest, before.get("tables", {}).get(table, {}), fill)
            for table, digest in digests.items()
        }
        gone = set(_list_files(before.get("tables", {}))) - set(_list_files(tables))
        retired = {**before.get("retired", {}), **dict.fromkeys(sorted(gone), metadata["published_at"])}
        manifest = {
            **metadata,
            "state": state,
            "previous": before.get("state", ""),
            "tables": tables,
            "retired": retired,
        }
        write_manifest(self.store, manifest)

    def prune(self) -> None:
        """Delete files that no reader needs any more, and files that a killed run left."""
        manifest = self.read_manifest()
        if not manifest:
            return
        latest = parse_instant(manifest["published_at"])
        kept = {path: when for path, when in manifest["retired"].items() if latest - parse_instant(when) < GRACE}
        known = {*_list_files(manifest["tables"]), *kept}
        gone = [file.path for file in self.store.list(_STATES) if file.path not in known]
        for path in gone:
            self.store.remove(path)
        if kept != manifest["retired"]:
            write_manifest(self.store, {**manifest, "retired": kept})

    def _write_table(
        self, state: str, table: str, digest: str, before: Mapping[str, Any], fill: Fill
    ) -> dict[str, Any]:
        if before.get("digest") == digest:
            return dict(before)
        path = f"{_STATES}{state}/{table}/part-0{self.suffix}"
        draft = self.store.prepare_local_path(path)
        rows = fill(table, draft)
        self.store.commit(path)
        draft.unlink()
        return {"files": [path], "rows": rows, "digest": digest}


def load_manifest(store: Store) -> dict[str, Any]:
    """The content of `current.json`; empty if there is none."""
    file = store.read(CURRENT)
    try:
        manifest: dict[str, Any] = json.loads(file.body) if file else {}
    except ValueError as error:
        hint = "remove the file; the next run publishes everything again"
        raise WarehouseError("`current.json` is damaged", where=store.url, details=str(error), hint=hint) from error
    return manifest


def write_manifest(store: Store, manifest: Mapping[str, Any]) -> None:
    """Replace `current.json` atomically."""
    store.write(CURRENT, (json.dumps({"version": 1, **manifest}, indent=2) + "\n").encode())


def _list_files(tables: Mapping[str, Any]) -> list[str]:
    return [path for table in tables.values() for path in table["files"]]
