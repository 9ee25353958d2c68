"""Delta tables that are published: each has a log of its own, so each changes whole.

- `{table}/`: a Delta table. Each state that is new to it is one version; files of versions of the last week are kept.
- `current.json`: for each table the version that belongs to the state, for readers who want all tables of one moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headwater.publish.bucket import read_manifest, write_manifest
from headwater.publish.folder import Fill, other_kind_error
from headwater.storage.base import Store
from headwater.storage.endpoint import build_storage_options
from headwater.storage.url import import_delta

_DRAFTS = "_drafts/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDelta:
    """One tenant's part of one publication, as Delta tables. It has one writer: whoever holds the tenant's lease."""

    store: Store

    @property
    def where(self) -> str:
        """Where it is, in words."""
        return self.store.url

    def manifest(self) -> dict[str, Any]:
        """What is published now; empty when nothing is."""
        found = read_manifest(self.store)
        if found and found.get("format") != "delta":
            raise other_kind_error(self.where, str(found.get("format")))
        return found

    def publish_state(self, state: str, said: Mapping[str, Any], digests: Mapping[str, str], *, fill: Fill) -> None:
        """Write each table whose digest is another one as its next version, then tell which versions go together."""
        before = self.manifest()
        tables = {
            table: self._table(table, digest, before.get("tables", {}).get(table, {}), fill)
            for table, digest in digests.items()
        }
        gone = sorted(set(before.get("tables", {})) - set(tables))
        told = {**said, "state": state, "previous": before.get("state", ""), "tables": tables, "gone": gone}
        write_manifest(self.store, told)

    def prune(self) -> None:
        """Remove drafts, and tables that are published no more. Old versions go as each table is written."""
        told = self.manifest()
        self.store.clear(_DRAFTS)
        for table in told.get("gone", ()):
            self.store.clear(f"{table}/")

    def _table(self, table: str, digest: str, before: Mapping[str, Any], fill: Fill) -> dict[str, Any]:
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
