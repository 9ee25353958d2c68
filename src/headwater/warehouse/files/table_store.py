"""The folder of a tenant's tables: a manifest, its files, and retired files.

- `_current.json`: the manifest. Replacing it is the commit.
- `silver/ticket/{id}.parquet`: a file of a table. With Delta, `silver/ticket` is a Delta table.
- `_retired/{when}-{state}.json`: files that later manifests do not contain, kept for readers of the previous one.
- `_journal.json`: Delta tables that the current commit writes, with the versions to restore if it fails.
- `_drafts/`: files before they are added to a Delta table.
- `_lock`: the lock of the writer, in a local folder only.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from headwater.clock import Clock, SystemClock, format_instant
from headwater.errors import StoreError, WarehouseError
from headwater.storage.base import Store
from headwater.storage.lock import Lock
from headwater.storage.url import open_store, parse_scheme
from headwater.warehouse.files.delta import DRAFTS, JOURNAL, undo_commit, write_drafts
from headwater.warehouse.files.formats import get_file_suffix
from headwater.warehouse.files.manifest import Key, Manifest, StorageFormat, StoredTable, dump_manifest, parse_manifest

MANIFEST = "_current.json"
GRACE = timedelta(hours=1)
"""How long the files of an earlier manifest stay for its readers."""

_ORPHAN_AGE = timedelta(days=1)
"""How long a file in a bucket can be in no manifest before it is removed: another writer may be about to commit it."""

_RETIRED = "_retired/"


class TableStore:
    """A tenant's tables as files. `manifest` is the last state that was read or committed."""

    def __init__(
        self, url: str, tenant: str, file_format: StorageFormat, *, read_only: bool, clock: Clock | None = None
    ) -> None:
        self.store: Store = open_store(f"{url.rstrip('/')}/{tenant}")
        self.where = self.store.url
        self.file_format = file_format
        self._clock = clock or SystemClock()
        self._lock = None if read_only or parse_scheme(url) else _acquire_lock(Path(self.where))
        self._last_cleanup: datetime | None = None
        try:
            self._tag, self.manifest = self._read(read_only=read_only)
            if not read_only:
                self._clean_up()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the store and release the lock."""
        self.store.close()
        if self._lock:
            self._lock.release()

    def erase(self) -> None:
        """Remove all files."""
        self.store.clear("")
        self.close()

    def build_path(self, key: Key) -> str:
        """Return the path for a new file of a table."""
        folder = DRAFTS if self.file_format == "delta" else "/".join(key) + "/"
        return f"{folder}{uuid.uuid4().hex[:16]}.{get_file_suffix(self.file_format)}"

    def commit(self, tables: Mapping[Key, StoredTable], views: Mapping[Key, str]) -> None:
        """Commit a new state of all tables, atomically for readers. Raises WarehouseError if another writer committed first."""
        now, before = self._clock.now(), self.manifest
        if self.file_format == "delta":
            self._check_unchanged()
            tables = write_drafts(self.store, before, tables)
        else:
            known = set(before.paths)
            for path in (file.path for table in tables.values() for file in table.files):
                if path not in known:
                    self.store.commit(path)
        after = replace(
            before,
            state=uuid.uuid4().hex[:16],
            committed_at=format_instant(now),
            tables=dict(tables),
            views=dict(views),
        )
        self._retire(before, after, now)
        tag = self.store.swap(MANIFEST, dump_manifest(after), expected_tag=self._tag)
        if tag is None:
            raise self._build_conflict_error()
        self._tag, self.manifest = tag, after
        if self.file_format == "delta":
            self.store.remove(JOURNAL)
        self._clear_retired(now)

    def undo(self, drafts: Iterable[str]) -> None:
        """Remove the files of a failed commit. In a bucket, a later writer removes them."""
        if self.file_format == "delta" and self.store.read(JOURNAL):
            undo_commit(self.store, self._read(read_only=False)[1])
        if self._lock:
            self.discard(drafts)

    def discard(self, drafts: Iterable[str]) -> None:
        """Remove files that were never committed."""
        current = set(self.manifest.paths)
        for path in drafts:
            if path not in current:
                self.store.remove(path)

    def _read(self, *, read_only: bool) -> tuple[str | None, Manifest]:
        stored = self.store.read(MANIFEST)
        if stored is None:
            if read_only:
                hint = "`headwater run` creates it"
                raise WarehouseError("the warehouse cannot be opened", where=self.where, details="no tables", hint=hint)
            return None, Manifest(file_format=self.file_format)
        manifest = parse_manifest(stored.body, where=f"{self.where}/{MANIFEST}")
        if manifest.file_format != self.file_format:
            raise WarehouseError(
                "the tables are stored in another format than declared",
                where=self.where,
                details=f"stored as {manifest.file_format}, declared as {self.file_format}",
                hint="set another `url:` and run `headwater rebuild`, or restore the format",
            )
        return stored.tag, manifest

    def _check_unchanged(self) -> None:
        """Check that no other writer has committed since the last read.

        It runs before a Delta table changes, because readers see such a change at once.
        """
        stored = self.store.read(MANIFEST)
        if (stored.tag if stored else None) != self._tag:
            raise self._build_conflict_error()

    def _build_conflict_error(self) -> WarehouseError:
        return WarehouseError(
            "another writer changed these tables in the meantime; nothing was written",
            where=f"{self.where}/{MANIFEST}",
            details=f"no longer at state {self.manifest.state or '(none)'}",
            hint="make sure that only one run at a time writes a tenant, then run again",
        )

    def _retire(self, before: Manifest, after: Manifest, now: datetime) -> None:
        """Record the files that only readers of the previous manifest need, before it is replaced."""
        if self.file_format == "delta":  # Delta tables keep their own versions
            retired = {"/".join(key) + "/" for key in before.tables.keys() - after.tables.keys()}
        else:
            retired = set(before.paths) - set(after.paths)
        if retired:
            self.store.write(
                f"{_RETIRED}{_format_instant(now)}-{after.state}.json", json.dumps(sorted(retired)).encode()
            )

    def _clean_up(self) -> None:
        """Remove the files of crashed writers, and retired files after their grace period."""
        if self.store.read(JOURNAL):
            undo_commit(self.store, self.manifest)
        now = self._clock.now()
        self._clear_retired(now)
        retired = {path for file in self.store.list(_RETIRED) for path in self._read_retired(file.path)}
        known = {*self.manifest.paths, *retired, MANIFEST, "_lock"}
        for file in self.store.list(DRAFTS if self.file_format == "delta" else ""):
            is_old = self._lock is not None or file.modified < now - _ORPHAN_AGE
            if is_old and file.path not in known and not file.path.startswith(_RETIRED):
                self.store.remove(file.path)

    def _clear_retired(self, now: datetime) -> None:
        if self._last_cleanup is not None and now - self._last_cleanup < GRACE:
            return
        self._last_cleanup = now
        current = set(self.manifest.paths)
        tables = {"/".join(key) + "/" for key in self.manifest.tables}
        for file in self.store.list(_RETIRED):
            if file.path.removeprefix(_RETIRED) < _format_instant(now - GRACE):
                for path in self._read_retired(file.path):
                    if path.endswith("/") and path not in tables:
                        self.store.clear(path)
                    elif not path.endswith("/") and path not in current:
                        self.store.remove(path)
                self.store.remove(file.path)

    def _read_retired(self, path: str) -> list[str]:
        stored = self.store.read(path)
        return list(json.loads(stored.body)) if stored else []


def _format_instant(instant: datetime) -> str:
    return f"{instant:%Y%m%dT%H%M%S%f}"


def _acquire_lock(folder: Path) -> Lock:
    try:
        return Lock(folder / "_lock")
    except StoreError as error:
        if error.hint.startswith("wait"):
            message = "the warehouse is in use by another process"
            raise WarehouseError(message, where=error.where, details=error.details, hint=error.hint) from error
        raise
