"""The folder of a tenant's tables: one pointer, the files that it names, and those that it no longer does.

- `_current.json`: the pointer. Swapping it is the commit.
- `silver/ticket/{id}.parquet`: a file of a table. With Delta, `silver/ticket` is a Delta table.
- `_retired/{when}-{state}.json`: files that no pointer has named since, kept for readers of the one before.
- `_journal.json`: Delta tables that a commit under way is writing, with the versions to go back to.
- `_drafts/`: what is on its way into a Delta table.
- `_lock`: held by the writer, on a folder.
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
from headwater.warehouse.files.formats import file_suffix
from headwater.warehouse.files.manifest import Key, Manifest, StorageFormat, StoredTable, dump_manifest, parse_manifest

POINTER = "_current.json"
GRACE = timedelta(hours=1)
"""How long a reader of an earlier pointer still finds its files."""

_UNKNOWN = timedelta(days=1)
"""How long a file in a bucket may be unknown to every pointer: a writer elsewhere may be about to name it."""

_RETIRED = "_retired/"


class TableStore:
    """A tenant's tables as files. `manifest` is the state that this one knows of, its own commits included."""

    def __init__(
        self, url: str, tenant: str, file_format: StorageFormat, *, read_only: bool, clock: Clock | None = None
    ) -> None:
        self.store: Store = open_store(f"{url.rstrip('/')}/{tenant}")
        self.where = self.store.url
        self.file_format = file_format
        self._clock = clock or SystemClock()
        self._lock = None if read_only or parse_scheme(url) else _acquire_lock(Path(self.where))
        self._tidied: datetime | None = None
        try:
            self._tag, self.manifest = self._read(read_only=read_only)
            if not read_only:
                self._clear_up()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another writer have it."""
        self.store.close()
        if self._lock:
            self._lock.release()

    def erase(self) -> None:
        """Remove all of it."""
        self.store.clear("")
        self.close()

    def new_path(self, key: Key) -> str:
        """Where a new file of a table goes."""
        folder = DRAFTS if self.file_format == "delta" else "/".join(key) + "/"
        return f"{folder}{uuid.uuid4().hex[:16]}.{file_suffix(self.file_format)}"

    def commit(self, tables: Mapping[Key, StoredTable], views: Mapping[Key, str]) -> None:
        """Make this the state of all tables, for every reader at the same moment; WarehouseError if another was first."""
        now, before = self._clock.now(), self.manifest
        if self.file_format == "delta":
            self._check_first()
            tables = write_drafts(self.store, before, tables)
        else:
            known = set(before.paths())
            for path in (piece.path for table in tables.values() for piece in table.files):
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
        tag = self.store.swap(POINTER, dump_manifest(after), expected_tag=self._tag)
        if tag is None:
            raise self._conflict_error()
        self._tag, self.manifest = tag, after
        if self.file_format == "delta":
            self.store.remove(JOURNAL)
        self._clear_retired(now)

    def undo(self, drafts: Iterable[str]) -> None:
        """Clear away what a commit that failed has left; in a bucket it is left to a later one."""
        if self.file_format == "delta" and self.store.read(JOURNAL):
            undo_commit(self.store, self._read(read_only=False)[1])
        if self._lock:
            self.discard(drafts)

    def discard(self, drafts: Iterable[str]) -> None:
        """Remove files that no pointer ever named."""
        named = set(self.manifest.paths())
        for path in drafts:
            if path not in named:
                self.store.remove(path)

    def _read(self, *, read_only: bool) -> tuple[str | None, Manifest]:
        found = self.store.read(POINTER)
        if found is None:
            if read_only:
                hint = "`headwater run` creates it"
                raise WarehouseError("the warehouse cannot be opened", where=self.where, details="no tables", hint=hint)
            return None, Manifest(file_format=self.file_format)
        pointer = parse_manifest(found.body, where=f"{self.where}/{POINTER}")
        if pointer.file_format != self.file_format:
            raise WarehouseError(
                "the tables are stored in another format than declared",
                where=self.where,
                details=f"stored as {pointer.file_format}, declared as {self.file_format}",
                hint="set another `url:` and run `headwater rebuild`, or restore the format",
            )
        return found.tag, pointer

    def _check_first(self) -> None:
        """Nothing where nobody has committed since: before a Delta table is touched, which everybody sees at once."""
        found = self.store.read(POINTER)
        if (found.tag if found else None) != self._tag:
            raise self._conflict_error()

    def _conflict_error(self) -> WarehouseError:
        return WarehouseError(
            "another writer changed these tables in the meantime; nothing was written",
            where=f"{self.where}/{POINTER}",
            details=f"no longer at state {self.manifest.state or '(none)'}",
            hint="make sure that only one run at a time writes a tenant, then run again",
        )

    def _retire(self, before: Manifest, after: Manifest, now: datetime) -> None:
        """Write down what only readers of the pointer before need, before that pointer goes."""
        if self.file_format == "delta":  # Delta tables keep their own past
            gone = {"/".join(key) + "/" for key in before.tables.keys() - after.tables.keys()}
        else:
            gone = set(before.paths()) - set(after.paths())
        if gone:
            self.store.write(f"{_RETIRED}{_format_instant(now)}-{after.state}.json", json.dumps(sorted(gone)).encode())

    def _clear_up(self) -> None:
        """Remove what writers that died left behind, and what was retired long enough ago."""
        if self.store.read(JOURNAL):
            undo_commit(self.store, self.manifest)
        now = self._clock.now()
        self._clear_retired(now)
        retired = {path for found in self.store.list(_RETIRED) for path in self._read_retired(found.path)}
        known = {*self.manifest.paths(), *retired, POINTER, "_lock"}
        for found in self.store.list(DRAFTS if self.file_format == "delta" else ""):
            old = self._lock is not None or found.modified < now - _UNKNOWN
            if old and found.path not in known and not found.path.startswith(_RETIRED):
                self.store.remove(found.path)

    def _clear_retired(self, now: datetime) -> None:
        if self._tidied is not None and now - self._tidied < GRACE:
            return
        self._tidied = now
        named = set(self.manifest.paths())
        tables = {"/".join(key) + "/" for key in self.manifest.tables}
        for found in self.store.list(_RETIRED):
            if found.path.removeprefix(_RETIRED) < _format_instant(now - GRACE):
                for path in self._read_retired(found.path):
                    if path.endswith("/") and path not in tables:
                        self.store.clear(path)
                    elif not path.endswith("/") and path not in named:
                        self.store.remove(path)
                self.store.remove(found.path)

    def _read_retired(self, path: str) -> list[str]:
        found = self.store.read(path)
        return list(json.loads(found.body)) if found else []


def _format_instant(instant: datetime) -> str:
    return f"{instant:%Y%m%dT%H%M%S%f}"


def _acquire_lock(folder: Path) -> Lock:
    try:
        return Lock(folder / "_lock")
    except StoreError as error:
        if error.hint.startswith("wait"):
            what = "the warehouse is in use by another process"
            raise WarehouseError(what, where=error.where, details=error.details, hint=error.hint) from error
        raise
