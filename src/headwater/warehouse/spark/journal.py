"""What a tenant's folder of tables holds: one small file, whose replacement is the moment at which all changes count."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headwater.clock import Clock, SystemClock
from headwater.errors import WarehouseError
from headwater.warehouse.base import TableColumn

_PATIENCE = 60.0
"""Seconds that the Java of a dead writer has to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkTable:
    """A stored table: the folder of its files, its columns, and how many rows it has where that is kept."""

    folder: str
    columns: tuple[TableColumn, ...]
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogState:
    """Everything that a tenant has: tables, views with their SELECT, tables that can be asked for a past day."""

    tables: Mapping[str, SparkTable] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
    asofs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoLog:
    """What a transaction under way has touched: the version that each folder had before, and the Java that writes."""

    versions: Mapping[str, int] = field(default_factory=dict)
    process: int = 0


class Journal:
    """The book of one tenant's folder, and its lock: whoever writes holds it, and dies with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "book.json"
        self._lock = -1

    @contextmanager
    def hold_lock(self) -> Iterator[None]:
        """Nobody else writes meanwhile; waits for whoever does."""
        self.lock(wait=True)
        try:
            yield
        finally:
            self.unlock()

    def lock(self, *, wait: bool) -> bool:
        """Hold the lock; whether it was to be had."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            hint = "check the path of the warehouse and the permissions of its folder"
            raise WarehouseError(
                "the warehouse cannot be opened", where=str(self.folder), details=str(error), hint=hint
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(handle)
            return False
        except BaseException:
            os.close(handle)
            raise
        self._lock = handle
        return True

    def unlock(self) -> None:
        """Let others write."""
        handle, self._lock = self._lock, -1
        if handle >= 0:
            os.close(handle)

    def stat_token(self) -> object:
        """What tells one book from the next that takes its place; None when there is none."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def read(self) -> tuple[CatalogState, UndoLog | None]:
        """What was last committed, and what has to be undone if its writer is dead."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return CatalogState(), None
        found = json.loads(text)
        tables = {
            name: SparkTable(
                folder=one["folder"], columns=tuple(TableColumn(**c) for c in one["columns"]), rows=one["rows"]
            )
            for name, one in found["tables"].items()
        }
        undo = (
            UndoLog(versions=found["undo"]["versions"], process=found["undo"]["process"]) if found.get("undo") else None
        )
        return CatalogState(tables=tables, views=found["views"], asofs=tuple(found["asofs"])), undo

    def write(self, state: CatalogState, undo: UndoLog | None = None) -> None:
        """Replace the book at once: a reader finds the one or the other."""
        said: dict[str, Any] = {
            "tables": {name: _dump_table(shelf) for name, shelf in state.tables.items()},
            "views": dict(state.views),
            "asofs": list(state.asofs),
        }
        if undo is not None:
            said["undo"] = {"versions": dict(undo.versions), "process": undo.process}
        beside = self._path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)


_CLOCK = SystemClock()


def _dump_table(shelf: SparkTable) -> dict[str, Any]:
    columns = [{"name": one.name, "dtype": one.dtype, "required": one.required} for one in shelf.columns]
    return {"folder": shelf.folder, "columns": columns, "rows": shelf.rows}


def wait_for_exit(process: int, where: str, clock: Clock = _CLOCK) -> None:
    """Return when the Java of a dead writer has ended: until then it may still finish what it was told to do."""
    deadline = clock.monotonic() + _PATIENCE
    while process and process != os.getpid() and _is_java(process):
        if clock.monotonic() > deadline:
            raise WarehouseError(
                "a writer crashed, but its Java process is still running",
                where=where,
                details=f"process {process} is running",
                hint=f"end it (`kill {process}`) and run again",
            )
        clock.sleep(0.05)


def _is_java(process: int) -> bool:
    try:
        told = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        if Path("/proc/self").exists():
            return False
        try:
            os.kill(process, 0)
        except OSError:
            return False
        return True
    return b"java" in told
