"""A folder on this machine, or on a share with atomic renames."""

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
    """Files below a folder: written to a draft, synced to the disk, then renamed."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).absolute()
        self.url = str(self.root)

    def read(self, path: str) -> StoredFile | None:
        """Read a small file. Return None if there is none."""
        with translate_errors("read", self.root / path):
            try:
                body = (self.root / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return StoredFile(body=body, tag=_digest_body(body))

    def read_size(self, path: str) -> int | None:
        """The size of a file in bytes, or None if there is none."""
        with translate_errors("read", self.root / path):
            try:
                return (self.root / path).stat().st_size
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, path: str, body: bytes, *, durable: bool = True) -> None:
        """Write a small file, or replace it. Without `durable`, a power loss may still undo the write."""
        target, draft = self.root / path, self.prepare_draft(path)
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
        """Replace a small file if it has the tag `expected_tag`. The writers must exclude each other with a lock."""
        stored = self.read(path)
        if (stored.tag if stored else None) != expected_tag:
            return None
        self.write(path, body)
        return _digest_body(body)

    def prepare_local_path(self, path: str) -> Path:
        """Return the final path of the file: nothing reads it before its name is published."""
        target = self.root / path
        with translate_errors("written", target):
            target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def commit(self, path: str) -> None:
        """Sync what was written to `prepare_local_path(path)` to the disk."""
        target = self.root / path
        with translate_errors("written", target):
            _sync(target)
            _sync(target.parent)

    def prepare_draft(self, path: str) -> Path:
        """Return a path beside the file."""
        return self.prepare_local_path(path + DRAFT)

    def adopt(self, draft: Path, path: str) -> None:
        """Sync the draft to the disk, then rename it. After a power loss, the name never exists without the content."""
        target = self.root / path
        with translate_errors("written", target):
            _sync(draft)
            draft.replace(target)
            _sync(target.parent)

    def remove_drafts(self, prefix: str) -> int:
        """Remove the drafts of killed writers below a folder. Return their number."""
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
        """Do nothing: there is no copy."""

    def list(self, prefix: str) -> list[FileEntry]:
        """The files below a folder, sorted by path, including drafts."""
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
        """The paths of the files in a folder that start with `start`, sorted. No drafts, and no files in subfolders."""
        with translate_errors("read", self.root / folder):
            try:
                with os.scandir(self.root / folder) as entries:
                    names = [entry.name for entry in entries if entry.is_file() and not entry.name.endswith(DRAFT)]
            except (FileNotFoundError, NotADirectoryError):
                return ()
        return tuple(sorted(path for path in (f"{folder}/{name}" for name in names) if path.startswith(start)))

    def remove(self, path: str) -> None:
        """Remove a file, if it exists."""
        with translate_errors("removed", self.root / path):
            (self.root / path).unlink(missing_ok=True)

    def clear(self, prefix: str) -> None:
        """Remove a folder and everything in it."""
        target = self.root / prefix
        with translate_errors("removed", target):
            if target.is_dir():
                shutil.rmtree(target)

    def close(self) -> None:
        """Do nothing: nothing is open."""


@contextmanager
def translate_errors(verb: str, target: Path) -> Iterator[None]:
    """Convert an OSError to a StoreError with the location, the reason and a hint."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"A file cannot be {verb}.",
            where=str(error.filename or target),
            details=error.strerror or str(error),
            hint=_HINTS.get(error.errno or 0, "check the disk, then run again"),
        ) from error


def _digest_body(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _read_modified(file: Path) -> datetime | None:
    """The modification time of a file, or None if it no longer exists."""
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
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
