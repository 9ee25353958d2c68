"""The protocol of a store of files. Paths are relative to its root and use `/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

DRAFT = ".tmp"
"""The suffix of drafts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A small file, and the tag of its content. The next writer presents the tag to replace exactly this content."""

    body: bytes
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """A file in a listing."""

    path: str
    modified: datetime


class Store(Protocol):
    """A folder or a bucket. No reader ever sees a partial file. A StoreError says why an operation failed."""

    url: str
    """The location, for people and for other programs."""

    def read(self, path: str) -> StoredFile | None:
        """Read a small file. Return None if there is none."""
        ...

    def read_size(self, path: str) -> int | None:
        """The size of a file in bytes, or None if there is none."""
        ...

    def write(self, path: str, body: bytes, *, durable: bool = True) -> None:
        """Write a small file, or replace it. Without `durable`, a power loss may still undo the write."""
        ...

    def swap(self, path: str, body: bytes, *, expected_tag: str | None) -> str | None:
        """Replace a small file if it has the tag `expected_tag` (None: if it does not exist). Return its new tag, or None."""
        ...

    def prepare_local_path(self, path: str) -> Path:
        """Return where on this machine to write the new file `path`, and create its folder. Nothing may read it yet."""
        ...

    def commit(self, path: str) -> None:
        """Make what was written to `prepare_local_path(path)` durable: it survives this process and a power loss."""
        ...

    def prepare_draft(self, path: str) -> Path:
        """Return where on this machine to write a draft of the file `path`, and create its folder. Publish it with `adopt`."""
        ...

    def adopt(self, draft: Path, path: str) -> None:
        """Publish what was written to `prepare_draft(path)` as the file `path`, as a whole and durably. It replaces the file."""
        ...

    def remove_drafts(self, prefix: str) -> int:
        """Remove the drafts of killed writers below a folder. Return their number."""
        ...

    def fetch(self, path: str) -> Path:
        """Return the file on this machine, for reading, until it is released or removed, or the store is closed."""
        ...

    def release(self, path: str) -> None:
        """Remove the local copy that `fetch` made. The file itself stays."""
        ...

    def list(self, prefix: str) -> list[FileEntry]:
        """The files below a folder, sorted by path, including drafts of killed writers."""
        ...

    def list_names(self, folder: str, *, start: str) -> tuple[str, ...]:
        """The paths of the files in a folder that start with `start`, sorted. No drafts, and no files in subfolders."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file, if it exists."""
        ...

    def clear(self, prefix: str) -> None:
        """Remove a folder and everything in it."""
        ...

    def close(self) -> None:
        """Close the store, and remove local copies."""
        ...
