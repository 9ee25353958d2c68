"""A folder to which tables are published: each time a whole new state, put in place of the old one by a single rename.

    .versions/{state}/{table}/part-0.parquet      states, of which the last two are kept
    current        -> .versions/{state}           the pointer: renaming it is what publishes
    {table}        -> current/{table}             so that readers need to know none of this
    current.json   -> current/_manifest.json      what there is, and since when; `_manifest.json` is another name of it

A reader that resolves `current` once sees one state in all tables, for as long as it is one of the last two. `current.json`
names the files of such a state below `.versions`, as it does in a bucket, where there are no links (`published_bucket`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headwater.errors import WarehouseError

Fill = Callable[[str, Path], int]
"""Writes a table to a new file; how many rows."""

_MANIFEST, _POINTER, _STATES, _TMP = "_manifest.json", "current", ".versions", ".tmp"
CURRENT = "current.json"
"""What a reader looks at who wants one state of all tables: the same on a folder, in a bucket and beside Delta tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFolder:
    """One tenant's folder of one publication. It has one writer: whoever holds the tenant's lease."""

    folder: Path
    suffix: str
    """Of the files, e.g. `.parquet`."""

    @property
    def where(self) -> str:
        """Where it is, in words."""
        return str(self.folder)

    def manifest(self) -> dict[str, Any]:
        """What is published now; empty when nothing is."""
        with _translate_errors(self.folder):
            if (self.folder / CURRENT).is_file() and not (self.folder / CURRENT).is_symlink():
                raise other_kind_error(self.where, "delta")
            path = self.folder / _POINTER / _MANIFEST
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return found

    def publish_state(self, state: str, said: Mapping[str, Any], digests: Mapping[str, str], *, fill: Fill) -> None:
        """Put a new state in place, whole or not at all. A table whose digest is the same is linked, not written."""
        before = self.manifest()
        with _translate_errors(self.folder):
            beside = self.folder / _STATES / f"{state}{_TMP}"
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
            tables = {
                table: self._table(beside / table, digest, before.get("tables", {}).get(table, {}), fill, state=state)
                for table, digest in digests.items()
            }
            manifest = {"version": 1, **said, "state": state, "previous": before.get("state", ""), "tables": tables}
            (beside / _MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
            _fsync(beside)
            beside.rename(self.folder / _STATES / state)
            _point(self.folder / _POINTER, f"{_STATES}/{state}")

    def prune(self) -> None:
        """Let readers find each table by its name, and let go of states before the last two."""
        manifest = self.manifest()
        with _translate_errors(self.folder):
            shown = {_MANIFEST, *manifest["tables"]}
            for name in shown:
                _point(self.folder / name, f"{_POINTER}/{name}")
            _point(self.folder / CURRENT, f"{_POINTER}/{_MANIFEST}")
            for path in self.folder.iterdir():
                if path.is_symlink() and path.name not in {_POINTER, CURRENT, *shown}:
                    path.unlink()
            for path in (self.folder / _STATES).iterdir():
                if path.name not in {manifest["state"], manifest["previous"]}:
                    shutil.rmtree(path)

    def _table(self, folder: Path, digest: str, before: Mapping[str, Any], fill: Fill, *, state: str) -> dict[str, Any]:
        folder.mkdir()
        file = folder / f"part-0{self.suffix}"
        old = self.folder / _POINTER / folder.name / file.name
        same = before.get("digest") == digest and _try_link(old, file)
        rows = before["rows"] if same else fill(folder.name, file)
        return {"files": [f"{_STATES}/{state}/{folder.name}/{file.name}"], "rows": rows, "digest": digest}


def other_kind_error(where: str, found: str) -> WarehouseError:
    """The error for a place that holds tables of a kind that cannot be replaced file by file."""
    return WarehouseError(
        "this folder has a publication in another format, which readers may have open",
        where=where,
        details=f"existing: {found}",
        hint="set another `url:`, or remove the folder and run again",
    )


def _try_link(old: Path, new: Path) -> bool:
    """Whether `new` is now another name of the file `old`; not where the disk knows no such thing, or it is gone."""
    try:
        os.link(old, new)
    except OSError:
        return False
    return True


def _point(link: Path, target: str) -> None:
    """Let the symbolic link `link` lead to `target`, from one moment to the next."""
    if link.is_symlink() and link.readlink() == Path(target):
        return
    beside = link.with_name(f"{link.name}{_TMP}")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(link)


def _fsync(folder: Path) -> None:
    """Flush a state to disk before the pointer moves, so that a power cut leaves no pointer to missing files."""
    places: Sequence[Path] = (*folder.rglob("*"), folder)
    for path in places:
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


@contextmanager
def _translate_errors(folder: Path) -> Iterator[None]:
    """Turn an OSError into an error that says where, why, and what to try."""
    try:
        yield
    except OSError as error:
        raise WarehouseError(
            "The publication cannot be written; readers keep the previous state.",
            where=str(error.filename or folder),
            details=error.strerror or str(error),
            hint="check write permission and disk space, or set another folder under `publish:`",
        ) from error
