"""A folder of this machine, or of a share that renames atomically."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from headwater.errors import StoreError
from headwater.storage.base import FileEntry, StoredFile

_TMP = ".tmp"
_HINTS = {
    errno.ENOSPC: "free some space and run again; nothing that was committed is lost",
    errno.EDQUOT: "raise the quota or free some space, then run again; nothing that was committed is lost",
    errno.EACCES: "give this user the right to write there, or name another place",
    errno.EPERM: "give this user the right to write there, or name another place",
    errno.EROFS: "the disk is mounted read-only; name another place",
}


class FolderStore:
    """Files below a folder: written beside, brought to the disk, then renamed."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).absolute()
        self.url = str(self.root)

    def read(self, path: str) -> StoredFile | None:
        """A small file; None when there is none."""
        with translate_errors("read", self.root / path):
            try:
                body = (self.root / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return StoredFile(body=body, tag=_tag(body))

    def write(self, path: str, body: bytes) -> None:
        """Put a small file there, in the place of another one."""
        target = self.local_path(path)
        beside = target.with_name(target.name + _TMP)
        with translate_errors("written", target):
            with beside.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
            _sync(target.parent)

    def swap(self, path: str, body: bytes, *, expected_tag: str | None) -> str | None:
        """Put a small file there if what is there has the tag `was`. Writers keep each other out by a lock."""
        found = self.read(path)
        if (found.tag if found else None) != expected_tag:
            return None
        self.write(path, body)
        return _tag(body)

    def local_path(self, path: str) -> Path:
        """The file's own place: nobody looks at it before its name is told."""
        target = self.root / path
        with translate_errors("written", target):
            target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def commit(self, path: str) -> None:
        """Let what was filled at `local_path(path)` last."""
        target = self.root / path
        with translate_errors("written", target):
            _sync(target)
            _sync(target.parent)

    def fetch(self, path: str) -> Path:
        """The file itself."""
        return self.root / path

    def list(self, prefix: str) -> list[FileEntry]:
        """The files below a folder, sorted by path."""
        start = self.root / prefix
        with translate_errors("read", start):
            files = sorted(file for file in start.rglob("*") if file.is_file())
            return [
                FileEntry(path=file.relative_to(self.root).as_posix(), modified=_read_modified(file)) for file in files
            ]

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""
        with translate_errors("removed", self.root / path):
            (self.root / path).unlink(missing_ok=True)

    def clear(self, prefix: str) -> None:
        """Remove a folder and all that is in it."""
        target = self.root / prefix
        with translate_errors("removed", target):
            if target.is_dir():
                shutil.rmtree(target)

    def close(self) -> None:
        """Nothing was taken hold of."""


@contextmanager
def translate_errors(verb: str, target: Path) -> Iterator[None]:
    """Turn an OSError into an error that says where, why, and what to try."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"A file cannot be {verb}.",
            where=str(error.filename or target),
            details=error.strerror or str(error),
            hint=_HINTS.get(error.errno or 0, "look at the disk, then run again"),
        ) from error


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _read_modified(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
