"""What a place for files can do. Paths are relative to it, with `/` between their parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

DRAFT = ".tmp"
"""How the name of a draft ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A small file, and the tag by which its next writer shows that it knows this very content."""

    body: bytes
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """A file that is there."""

    path: str
    modified: datetime


class Store(Protocol):
    """A folder or a bucket. What is in it is never seen half-written; StoreError says why something cannot be done."""

    url: str
    """Where it is, in words that a person and another program understand."""

    def read(self, path: str) -> StoredFile | None:
        """A small file; None when there is none."""
        ...

    def size(self, path: str) -> int | None:
        """The bytes of a file; None when there is none."""
        ...

    def write(self, path: str, body: bytes, *, durable: bool = True) -> None:
        """Put a small file there, in the place of another one. Without `durable`, a loss of power may still undo it."""
        ...

    def swap(self, path: str, body: bytes, *, expected_tag: str | None) -> str | None:
        """Put a small file there if what is there has the tag `was` (None: if nothing is); its tag, None if not so."""
        ...

    def local_path(self, path: str) -> Path:
        """Where on this machine a writer may fill the file `path`, which nobody knows of yet; its folder exists."""
        ...

    def commit(self, path: str) -> None:
        """Let what was filled at `local_path(path)` last: it survives this process and a loss of power."""
        ...

    def draft(self, path: str) -> Path:
        """Where on this machine a writer may fill what becomes the file `path` with `adopt`; its folder exists."""
        ...

    def adopt(self, draft: Path, path: str) -> None:
        """Let what was filled at `draft(path)` be the file, as a whole and durably, in the place of another one."""
        ...

    def remove_drafts(self, prefix: str) -> int:
        """Remove the drafts below a folder that killed writers left; how many."""
        ...

    def fetch(self, path: str) -> Path:
        """The file on this machine, for reading; it is there until it is released or removed, or the store is closed."""
        ...

    def release(self, path: str) -> None:
        """Remove the copy that `fetch` brought to this machine; the file itself stays."""
        ...

    def list(self, prefix: str) -> list[FileEntry]:
        """The files below a folder, sorted by path, drafts of killed writers among them."""
        ...

    def list_names(self, folder: str, *, start: str) -> tuple[str, ...]:
        """The files in a folder whose path begins with `start`, sorted; no drafts, and none of folders in it."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""
        ...

    def clear(self, prefix: str) -> None:
        """Remove a folder and all that is in it."""
        ...

    def close(self) -> None:
        """Let go of it, and of what was brought to this machine."""
        ...
