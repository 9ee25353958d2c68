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
from headwater.storage.base import DRAFT, FileEntry, StoredFile

_HINTS = {
    errno.ENOSPC: "free some disk space, then run again; committed data is safe",
    errno.EDQUOT: "raise the quota or free some disk space, then run again; committed data is safe",
    errno.EACCES: "give this user write permission, or use another folder",
    errno.EPERM: "give this user write permission, or use another folder",
    errno.EROFS: "the disk is mounted read-only; use another folder",
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

    def size(self, path: str) -> int | None:
        """The bytes of a file; None when there is none."""
        with translate_errors("read", self.root / path):
            try:
                return (self.root / path).stat().st_size
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, path: str, body: bytes, *, durable: bool = True) -> None:
        """Put a small file there, in the place of another one. Without `durable`, a loss of power may still undo it."""
        target, draft = self.root / path, self.draft(path)
        with translate_errors("written", target):
            try:
                draft.write_bytes(body)
            except OSError:
                draft.unlink(missing_ok=True)
                raise
            if not durable:
                draft.replace(target)
        if durable:
            self.adopt(draft, path)

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

    def draft(self, path: str) -> Path:
        """A place beside the file."""
        return self.local_path(path + DRAFT)

    def adopt(self, draft: Path, path: str) -> None:
        """Bring what was filled to the disk, so that its name cannot outlive it in a loss of power, and give it its name."""
        target = self.root / path
        with translate_errors("written", target):
            _sync(draft)
            draft.replace(target)
            _sync(target.parent)

    def remove_drafts(self, prefix: str) -> int:
        """Remove the drafts below a folder that killed writers left; how many."""
        start = self.root / prefix
        with translate_errors("removed", start):
            drafts = list(start.rglob(f"*{DRAFT}"))
            for draft in drafts:
                _remove(draft)
        return len(drafts)

    def fetch(self, path: str) -> Path:
        """The file itself."""
        return self.root / path

    def release(self, path: str) -> None:
        """Nothing was copied."""

    def list(self, prefix: str) -> list[FileEntry]:
        """The files below a folder, sorted by path, drafts among them."""
        start = self.root / prefix
        with translate_errors("read", start):
            files = sorted(file for file in start.rglob("*") if file.is_file())
            entries = ((file, _read_modified(file)) for file in files)
            return [
                FileEntry(path=file.relative_to(self.root).as_posix(), modified=modified)
                for file, modified in entries
                if modified is not None
            ]

    def list_names(self, folder: str, *, start: str) -> tuple[str, ...]:
        """The files in a folder whose path begins with `start`, sorted; no drafts, and none of folders in it."""
        with translate_errors("read", self.root / folder):
            try:
                with os.scandir(self.root / folder) as entries:
                    names = [entry.name for entry in entries if entry.is_file() and not entry.name.endswith(DRAFT)]
            except (FileNotFoundError, NotADirectoryError):
                return ()
        return tuple(sorted(path for path in (f"{folder}/{name}" for name in names) if path.startswith(start)))

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
            hint=_HINTS.get(error.errno or 0, "check the disk, then run again"),
        ) from error


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _read_modified(file: Path) -> datetime | None:
    """When a file was written; None where it has gone meanwhile."""
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _remove(target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
