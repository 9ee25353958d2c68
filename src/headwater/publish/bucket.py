"""A bucket to which tables are published: new files beside the old ones, then one small file that says which count.

- `current.json`: the pointer. What it names is one whole state; replacing it is what publishes.
- `.versions/{state}/{table}/part-0.parquet`: a table as it was written in that state. One that did not change stays there.

Files that it no longer names stay for an hour, for readers who looked before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from headwater.clock import parse_instant
from headwater.errors import WarehouseError
from headwater.publish.folder import CURRENT, Fill, other_kind_error
from headwater.storage.base import Store

GRACE = timedelta(hours=1)
"""How long a reader of an earlier `current.json` still finds its files."""

_STATES = ".versions/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedBucket:
    """One tenant's part of one publication. It has one writer: whoever holds the tenant's lease."""

    store: Store
    suffix: str
    """Of the files, e.g. `.parquet`."""

    @property
    def where(self) -> str:
        """Where it is, in words."""
        return self.store.url

    def manifest(self) -> dict[str, Any]:
        """What is published now; empty when nothing is."""
        found = read_manifest(self.store)
        if found.get("format") == "delta":
            raise other_kind_error(self.where, "delta")
        return found

    def publish_state(self, state: str, said: Mapping[str, Any], digests: Mapping[str, str], *, fill: Fill) -> None:
        """Put a new state in place, whole or not at all. A table whose digest is the same is named, not written."""
        before = self.manifest()
        tables = {
            table: self._table(state, table, digest, before.get("tables", {}).get(table, {}), fill)
            for table, digest in digests.items()
        }
        gone = set(_file_names(before.get("tables", {}))) - set(_file_names(tables))
        retired = {**before.get("retired", {}), **dict.fromkeys(sorted(gone), said["published_at"])}
        told = {**said, "state": state, "previous": before.get("state", ""), "tables": tables, "retired": retired}
        write_manifest(self.store, told)

    def prune(self) -> None:
        """Let go of what no reader looks for any more, and of what a run that was killed has left."""
        told = self.manifest()
        if not told:
            return
        latest = parse_instant(told["published_at"])
        kept = {path: when for path, when in told["retired"].items() if latest - parse_instant(when) < GRACE}
        known = {*_file_names(told["tables"]), *kept}
        gone = [found.path for found in self.store.list(_STATES) if found.path not in known]
        for path in gone:
            self.store.remove(path)
        if kept != told["retired"]:
            write_manifest(self.store, {**told, "retired": kept})

    def _table(self, state: str, table: str, digest: str, before: Mapping[str, Any], fill: Fill) -> dict[str, Any]:
        if before.get("digest") == digest:
            return dict(before)
        path = f"{_STATES}{state}/{table}/part-0{self.suffix}"
        draft = self.store.prepare_local_path(path)
        rows = fill(table, draft)
        self.store.commit(path)
        draft.unlink()
        return {"files": [path], "rows": rows, "digest": digest}


def read_manifest(store: Store) -> dict[str, Any]:
    """What `current.json` says; empty when there is none."""
    found = store.read(CURRENT)
    try:
        told: dict[str, Any] = json.loads(found.body) if found else {}
    except ValueError as error:
        hint = "remove the file; the next run publishes everything again"
        raise WarehouseError("`current.json` is damaged", where=store.url, details=str(error), hint=hint) from error
    return told


def write_manifest(store: Store, told: Mapping[str, Any]) -> None:
    """Let `current.json` say this from one moment to the next."""
    store.write(CURRENT, (json.dumps({"version": 1, **told}, indent=2) + "\n").encode())


def _file_names(tables: Mapping[str, Any]) -> list[str]:
    return [path for table in tables.values() for path in table["files"]]
