"""Publishes tables as Delta tables. Each has its own log, so each changes atomically.

- `{table}/`: a Delta table. Each new state is one version. Files of versions of the last week are kept.
- `current.json`: the version of each table in the current state, for readers who need one state of all tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headwater.publish.bucket import load_manifest, write_manifest
from headwater.publish.folder import Fill, build_other_format_error
from headwater.storage.base import Store
from headwater.storage.endpoint import build_storage_options
from headwater.storage.url import import_delta

_DRAFTS = "_drafts/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDelta:
    """The part of a publication that belongs to one tenant, as Delta tables. Its writer is the holder of the tenant's lease."""

    store: Store

    @property
    def where(self) -> str:
        """The location, for messages."""
        return self.store.url

    def read_manifest(self) -> dict[str, Any]:
        """The manifest of the published state; empty if nothing is published."""
        manifest = load_manifest(self.store)
        if manifest and manifest.get("format") != "delta":
            raise build_other_format_error(self.where, str(manifest.get("format")))
        return manifest

    def publish_state(self, state: str, metadata: Mapping[str, Any], digests: Mapping[str, str], *, fill: Fill) -> None:
        """Write each table with a changed digest as its next version, then record which versions belong together."""
        before = self.read_manifest()
        tables = {
            table: self._write_table(table, digest, before.get("tables", {}).get(table, {}), fill)
            for table, digest in digests.items()
        }
        gone = sorted(set(before.get("tables", {})) - set(tables))
        manifest = {**metadata, "state": state, "previous": before.get("state", ""), "tables": tables, "gone": gone}
        write_manifest(self.store, manifest)

    def prune(self) -> None:
        """Delete drafts, and tables that are no longer published. Old versions are deleted when a table is written."""
        manifest = self.read_manifest()
        self.store.clear(_DRAFTS)
        for table in manifest.get("gone", ()):
            self.store.clear(f"{table}/")

    def _write_table(self, table: str, digest: str, before: Mapping[str, Any], fill: Fill) -> dict[str, Any]:
        if before.get("digest") == digest:
            return dict(before)
        path = f"{_DRAFTS}{table}.parquet"
        draft = self.store.prepare_local_path(path)
        draft.unlink(missing_ok=True)
        rows = fill(table, draft)
        url = f"{self.store.url}/{table}"
        version = import_delta().write_version(url, [draft], mode="overwrite", options=build_storage_options(url))
        draft.unlink()
        return {"version": version.number, "rows": rows, "digest": digest}
