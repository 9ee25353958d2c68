"""The journal of a tenant's folder of tables: a small file. Replacing it commits all changes."""

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

_EXIT_TIMEOUT = 60.0
"""Seconds to wait for the Java process of a crashed writer to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkTable:
    """A stored table: the folder of its files, its columns, and for Parquet its number of rows."""

    folder: str
    columns: tuple[TableColumn, ...]
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogState:
    """All tables of a tenant, views with their SELECT, and tables with an as-of function."""

    tables: Mapping[str, SparkTable] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
    asofs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoLog:
    """What an open transaction has changed: the version of each folder before, and the Java process of the writer."""

    versions: Mapping[str, int] = field(default_factory=dict)
    process: int = 0


class Journal:
    """The journal of one tenant's folder, and the lock of its writer. The lock ends with the writer's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "book.json"
        self._lock = -1

    @contextmanager
    def hold_lock(self) -> Iterator[None]:
        """Hold the lock; wait for other writers first."""
        self.lock(wait=True)
        try:
            yield
        finally:
            self.unlock()

    def lock(self, *, wait: bool) -> bool:
        """Acquire the lock; return whether it was acquired."""
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
        """Release the lock."""
        handle, self._lock = self._lock, -1
        if handle >= 0:
            os.close(handle)

    def read_stat_token(self) -> object:
        """Return a value that changes when the journal is replaced; None if there is no journal."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def read(self) -> tuple[CatalogState, UndoLog | None]:
        """Return the committed state, and what to undo if its writer crashed."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return CatalogState(), None
        record = json.loads(text)
        tables = {
            name: SparkTable(
                folder=table["folder"],
                columns=tuple(TableColumn(**column) for column in table["columns"]),
                rows=table["rows"],
            )
            for name, table in record["tables"].items()
        }
        undo = (
            UndoLog(versions=record["undo"]["versions"], process=record["undo"]["process"])
            if record.get("undo")
            else None
        )
        return CatalogState(tables=tables, views=record["views"], asofs=tuple(record["asofs"])), undo

    def write(self, state: CatalogState, undo: UndoLog | None = None) -> None:
        """Replace the journal atomically."""
        record: dict[str, Any] = {
            "tables": {name: _dump_table(table) for name, table in state.tables.items()},
            "views": dict(state.views),
            "asofs": list(state.asofs),
        }
        if undo is not None:
            record["undo"] = {"versions": dict(undo.versions), "process": undo.process}
        draft = self._path.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(record, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)


_CLOCK = SystemClock()


def _dump_table(table: SparkTable) -> dict[str, Any]:
    columns = [{"name": column.name, "dtype": column.dtype, "required": column.required} for column in table.columns]
    return {"folder": table.folder, "columns": columns, "rows": table.rows}


def wait_for_exit(process: int, where: str, clock: Clock = _CLOCK) -> None:
    """Wait until the Java process of a crashed writer has ended: it may still finish its last statement."""
    deadline = clock.monotonic() + _EXIT_TIMEOUT
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
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        if Path("/proc/self").exists():
            return False
        try:
            os.kill(process, 0)
        except OSError:
            return False
        return True
    return b"java" in command
