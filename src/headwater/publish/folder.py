"""Publishes tables to a folder: writes a complete new state, then replaces the previous one with a single rename.

    .versions/{state}/{table}/part-0.parquet      states, of which the last two are kept
    current        -> .versions/{state}           the link to the current state: renaming it publishes
    {table}        -> current/{table}             so that readers need not know the states
    current.json   -> current/_manifest.json      the manifest: the tables, their files and the time

A reader that resolves `current` once sees one state of all tables, as long as it is one of the last two. `current.json`
lists the files of a state below `.versions`, as in a bucket, where there are no links (`publish.bucket`).
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
"""Writes a table to a new file, and returns the number of rows."""

_MANIFEST, _POINTER, _STATES, _TMP = "_manifest.json", "current", ".versions", ".tmp"
CURRENT = "current.json"
"""The manifest, for readers who need one state of all tables: in a folder, in a bucket and beside Delta tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFolder:
    """One tenant's folder of one publication. It has one writer: whoever holds the tenant's lease."""

    folder: Path
    suffix: str
    """The suffix of the files, e.g. `.parquet`."""

    @property
    def where(self) -> str:
        """The location, for messages."""
        return str(self.folder)

    def read_manifest(self) -> dict[str, Any]:
        """The manifest of the published state; empty if nothing is published."""
        with _translate_errors(self.folder):
            if (self.folder / CURRENT).is_file() and not (self.folder / CURRENT).is_symlink():
                raise build_other_format_error(self.where, "delta")
            path = self.folder / _POINTER / _MANIFEST
            manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return manifest

    def publish_state(self, state: str, metadata: Mapping[str, Any], digests: Mapping[str, str], *, fill: Fill) -> None:
        """Publish a new state atomically. The file of a table with an unchanged digest is linked, not written."""
        before = self.read_manifest()
        with _translate_errors(self.folder):
            draft = self.folder / _STATES / f"{state}{_TMP}"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            tables = {
                table: self._write_table(
                    draft / table, digest, before.get("tables", {}).get(table, {}), fill, state=state
                )
                for table, digest in digests.items()
            }
            manifest = {"version": 1, **metadata, "state": state, "previous": before.get("state", ""), "tables": tables}
            (draft / _MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
            _flush(draft)
            draft.rename(self.folder / _STATES / state)
            _set_link(self.folder / _POINTER, f"{_STATES}/{state}")

    def prune(self) -> None:
        """Link each table by its name, and delete states before the last two."""
        manifest = self.read_manifest()
        with _translate_errors(self.folder):
            names = {_MANIFEST, *manifest["tables"]}
            for name in names:
                _set_link(self.folder / name, f"{_POINTER}/{name}")
            _set_link(self.folder / CURRENT, f"{_POINTER}/{_MANIFEST}")
            for path in self.folder.iterdir():
                if path.is_symlink() and path.name not in {_POINTER, CURRENT, *names}:
                    path.unlink()
            for path in (self.folder / _STATES).iterdir():
                if path.name not in {manifest["state"], manifest["previous"]}:
                    shutil.rmtree(path)

    def _write_table(
        self, folder: Path, digest: str, before: Mapping[str, Any], fill: Fill, *, state: str
    ) -> dict[str, Any]:
        folder.mkdir()
        file = folder / f"part-0{self.suffix}"
        old = self.folder / _POINTER / folder.name / file.name
        is_linked = before.get("digest") == digest and _try_link(old, file)
        rows = before["rows"] if is_linked else fill(folder.name, file)
        return {"files": [f"{_STATES}/{state}/{folder.name}/{file.name}"], "rows": rows, "digest": digest}


def build_other_format_error(where: str, existing: str) -> WarehouseError:
    """The error for a location with a publication in another format, which cannot be replaced file by file."""
    return WarehouseError(
        "this folder has a publication in another format, which readers may have open",
        where=where,
        details=f"existing: {existing}",
        hint="set another `url:`, or remove the folder and run again",
    )


def _try_link(old: Path, new: Path) -> bool:
    """Create the hard link `new` to the file `old`. False if the disk has no hard links or `old` does not exist."""
    try:
        os.link(old, new)
    except OSError:
        return False
    return True


def _set_link(link: Path, target: str) -> None:
    """Set the symbolic link `link` to `target` atomically."""
    if link.is_symlink() and link.readlink() == Path(target):
        return
    draft = link.with_name(f"{link.name}{_TMP}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(link)


def _flush(folder: Path) -> None:
    """Flush a state to disk before the link changes, so that a power failure leaves no link to missing files."""
    paths: Sequence[Path] = (*folder.rglob("*"), folder)
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _translate_errors(folder: Path) -> Iterator[None]:
    """Translate OSError to WarehouseError with location, reason and hint."""
    try:
        yield
    except OSError as error:
        raise WarehouseError(
            "The publication cannot be written; readers keep the previous state.",
            where=str(error.filename or folder),
            details=error.strerror or str(error),
            hint="check write permission and disk space, or set another folder under `publish:`",
        ) from error
